"""Features of pictures on disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor

from rarl.metrics.moments import Moments
from rarl.runtime import artefact
from rarl.runtime.errors import UserError
from rarl.runtime.pieces import Piece

BLOCK = 1000  # rows whose moments are computed at once: in whatever pieces they came


def save(path: Path, features: Float32[Tensor, "n d"], metadata: dict[str, Any]) -> None:
    """`metadata` says how they were computed, and of what."""
    artefact.save(path, {"features": features}, metadata)


def load(path: Path) -> tuple[Float32[Tensor, "n d"], dict[str, Any]]:
    """Raises `UserError` when the file is something else."""
    found = artefact.load(path)
    if found.tensors.keys() != {"features"}:
        raise UserError(f"{path}: holds no features; it was written by another stage")
    return found.tensors["features"], found.metadata


def load_piece(path: Path) -> Piece[Float32[Tensor, "n d"]]:
    """Of the pictures that one job drew. Raises `UserError` when the file is something else."""
    features, metadata = load(path)
    return Piece(path, metadata["seed"], metadata["first"], features)


def moments_of(pieces: Iterable[Float32[Tensor, "n d"]]) -> Moments:
    """Of all rows; how they are cut into pieces changes no bit."""
    rows = torch.cat(list(pieces))
    moments = Moments(rows.shape[1])
    for block in rows.split(BLOCK):
        moments.update(block)
    return moments
