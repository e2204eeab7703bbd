"""Features of images on disk."""

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


class FeatureFile:
    """Features of the samples of one job, which stay on disk until they are loaded."""

    def __init__(self, path: Path) -> None:
        """Raises `UserError` when the file is something else."""
        header = artefact.peek(path)
        if header.shapes.keys() != {"features"} or "first" not in header.metadata:
            raise UserError(f"{path}: holds no features of samples; delete it and run again")
        self.path = path
        self.metadata = header.metadata
        self.sha256: str | None = None  # of its content, once that is read
        self._count = header.shapes["features"][0]

    def __len__(self) -> int:
        return self._count

    @property
    def piece(self) -> "Piece[FeatureFile]":
        """Of which seed these samples are, and the first of them."""
        return Piece(self.path, self.metadata["seed"], self.metadata["first"], self)

    def load(self) -> Float32[Tensor, "n d"]:
        """Reads and hashes the file. Raises `UserError` when it is damaged."""
        found = artefact.load(self.path)
        self.sha256 = found.sha256
        return found.tensors["features"]


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
            del part
        kept = [torch.cat(kept)] if kept else []  # a copy: a view would hold the whole piece
        del piece  # before the next one is loaded
    if moments is None:
        raise ValueError("moments need a piece of features")
    if kept:
        moments.update(torch.cat(kept))
    return moments
