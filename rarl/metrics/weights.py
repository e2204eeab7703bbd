"""State dictionaries from files whose content is known: hash first, then load."""

import hashlib
import io
from pathlib import Path

import torch
from torch import Tensor

from rarl.runtime.errors import UserError


def read_state(path: Path, sha256: str) -> dict[str, Tensor]:
    """The state dictionary in `path`, on the CPU, if the file's SHA-256 is the expected one.

    The very bytes that were hashed are loaded, so that the file can't change in between, and
    nothing but tensors is unpickled. Raises `UserError` when the file can't be read or has
    another hash.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: weights of the extractor cannot be read ({error.strerror}); "
            "see evaluation.weights"
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UserError(
            f"{path}: not the published weights of the extractor: SHA-256 is {found}, expected "
            f"{sha256}; replace the file or correct evaluation.weights"
        )
    state: dict[str, Tensor] = torch.load(
        io.BytesIO(content), map_location="cpu", weights_only=True
    )
    return state
