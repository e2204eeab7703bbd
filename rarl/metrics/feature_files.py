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
from rarl.runtime.sample_shards import Piece

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
    return piece_of(path, *load(path))


def piece_of(
    path: Path, features: Float32[Tensor, "n d"], metadata: dict[str, Any]
) -> Piece[Float32[Tensor, "n d"]]:
    """What `load` read from `path`, as a piece."""
    return Piece(path, metadata["seed"], metadata["first"], features)


def moments_of(pieces: Iterable[Float32[Tensor, "n d"]]) -> Moments:
    """Of all rows; how they are cut into pieces changes no bit. Copies one block at a time.

    Raises `ValueError` where there is no piece.
    """
    moments: Moments | None = None
    kept: list[Tensor] = []  # rows of the block that is not full yet
    for piece in pieces:
        moments = moments or Moments(piece.shape[1])
        start = 0
        while start < len(piece):
            part = piece[start : start + BLOCK - sum(map(len, kept))]
            kept.append(part)
            start += len(part)
            if sum(map(len, kept)) == BLOCK:
                moments.update(torch.cat(kept))
                kept.clear()
    if moments is None:
        raise ValueError("moments need a piece of features")
    if kept:
        moments.update(torch.cat(kept))
    return moments
