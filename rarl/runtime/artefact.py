"""Tensors on disk with what made them: one safetensors file, metadata in its header."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from rarl.runtime.errors import UserError
from rarl.runtime.files import atomic

DIGEST = "sha256"  # the header's key


@dataclass(frozen=True)
class Artefact:
    """What a stage wrote: tensors by name, and metadata that JSON can hold."""

    tensors: dict[str, torch.Tensor]
    metadata: dict[str, Any]


def save(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    """Writes tensors (moved to the CPU, made contiguous) and metadata, whole or not at all."""
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {name: json.dumps(value, sort_keys=True) for name, value in metadata.items()}
    header[DIGEST] = _digest(ready, header)
    with atomic(path) as temporary:
        save_file(ready, temporary, metadata=header)


def load(path: Path) -> Artefact:
    """Reads what `save` wrote. Raises `UserError` when the file is something else, or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        digest = header.pop(DIGEST, None)
        if digest != _digest(tensors, header):
            raise ValueError("its content is not what rarl wrote")
        return Artefact(tensors, {name: json.loads(text) for name, text in header.items()})
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read as safetensors ({error}); delete it and run again"
        ) from None


def _digest(tensors: dict[str, torch.Tensor], header: dict[str, str]) -> str:
    """SHA-256 of all that a file holds: safetensors has no checksum of its own."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
