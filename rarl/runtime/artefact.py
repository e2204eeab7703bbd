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

KEY = "rarl"  # the header's only one: safetensors writes several in random order
DIGEST = "sha256"
FAULTS = (SafetensorError, OSError, ValueError, RecursionError)  # of a file that is something else


@dataclass(frozen=True)
class Artefact:
    """What a stage wrote: tensors by name, and metadata that JSON can hold."""

    tensors: dict[str, torch.Tensor]
    metadata: dict[str, Any]
    sha256: str  # of all that the file holds, as it says itself


def save(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    """Writes tensors (moved to the CPU, made contiguous) and metadata, whole or not at all.

    Equal content gives equal bytes.
    """
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"metadata": metadata, DIGEST: _digest(ready, metadata)}
    with atomic(path) as temporary:
        save_file(ready, temporary, metadata={KEY: json.dumps(header, sort_keys=True)})


def load(path: Path) -> Artefact:
    """Reads what `save` wrote. Raises `UserError` when the file is something else, or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata, hashed, digest = _header(header)
        if not isinstance(metadata, dict) or digest != _digest(tensors, hashed):
            raise ValueError("its content is not what rarl wrote")
        return Artefact(tensors, metadata, digest)
    except FAULTS as error:
        raise _unreadable(path, error) from None


@dataclass(frozen=True)
class Header:
    """What a file says before its tensors are read, and unchecked."""

    shapes: dict[str, tuple[int, ...]]  # of the tensors
    metadata: dict[str, Any]


def peek(path: Path) -> Header:
    """The header alone. Raises `UserError` when the file is something else."""
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            metadata, *_ = _header(file.metadata() or {})
        if not isinstance(metadata, dict):
            raise ValueError("its content is not what rarl wrote")
        return Header(shapes, metadata)
    except FAULTS as error:
        raise _unreadable(path, error) from None


def _header(header: dict[str, str]) -> tuple[Any, Any, str]:
    """The metadata, what of them was hashed, and the digest; None of a file that is another."""
    if KEY in header:
        match json.loads(header[KEY]):
            case {"metadata": metadata, "sha256": str(digest)}:
                return metadata, metadata, digest
        return None, None, ""
    texts = dict(header)  # of a file from before: a key for each value, and one for the digest
    digest = texts.pop(DIGEST, "")
    return {name: json.loads(text) for name, text in texts.items()}, texts, digest


def _unreadable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path}: cannot be read as safetensors ({error}); delete it and run again")


def _digest(tensors: dict[str, torch.Tensor], metadata: Any) -> str:
    """SHA-256 of all that a file holds: safetensors has no checksum of its own."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
