"""State dictionaries from files, without unpickling anything but tensors: hash, then load."""

import hashlib
import io
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from rarl.runtime.errors import UserError


def read_state(path: Path, sha256: str) -> dict[str, Tensor]:
    """The state dictionary in `path`, on the CPU, if the file's SHA-256 is the expected one.

    The very bytes that were hashed are loaded, so that the file can't change in between, and
    nothing but tensors is unpickled. Raises `UserError` when the file can't be read or has
    another hash.
    """
    content, found = _read(path)
    if found != sha256:
        raise UserError(
            f"{path}: not the published weights of the extractor: SHA-256 is {found}, expected "
            f"{sha256}; replace the file or correct evaluation.weights"
        )
    state: dict[str, Tensor] = torch.load(
        io.BytesIO(content), map_location="cpu", weights_only=True
    )
    return state


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """The state dictionary in a safetensors file, on the CPU, and the file's SHA-256.

    Raises `UserError` when the file can't be read or is of another format.
    """
    content, found = _read(path)
    try:
        return load(content), found
    except SafetensorError as error:
        raise UserError(
            f"{path}: weights of the extractor are not a safetensors file ({error}); give "
            "evaluation.weights one of the network's safetensors files"
        ) from None


def _read(path: Path) -> tuple[bytes, str]:
    """The content of a file of weights, and its SHA-256."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: weights of the extractor cannot be read ({error.strerror}); "
            "see evaluation.weights"
        ) from None
    return content, hashlib.sha256(content).hexdigest()
