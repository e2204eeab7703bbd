"""Codes of images: a batch of them, sets of them, and both as artefacts."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rarl.models.serialization import open_artefact
from rarl.runtime.artefact import Artefact, save
from rarl.runtime.sample_shards import Piece

TRAIN_RANKS = "train_ranks"  # beside the codes: ranks of the training images' groups

Codes = tuple[Tensor, ...]  # of (B, h, w) int64, coarse to fine


@dataclass(frozen=True)
class CodeSet:
    """Code grids of many images, coarse to fine, int16 on the CPU."""

    grids: tuple[Tensor, ...]  # (N, h, w) each
    codebook_size: int

    def __len__(self) -> int:
        return len(self.grids[0])

    def take(self, indices: Tensor, device: torch.device) -> Codes:
        """(B, h, w) int64 grids of the images at `indices` (B,)."""
        return tuple(grid[indices].to(device, torch.long) for grid in self.grids)

    def __add__(self, other: "CodeSet") -> "CodeSet":
        pairs = zip(self.grids, other.grids, strict=True)
        return CodeSet(tuple(torch.cat(pair) for pair in pairs), self.codebook_size)


def gather(batches: Iterable[Codes], codebook_size: int) -> CodeSet:
    """Batches of codes as one set."""
    pieces = [[grid.to("cpu", torch.int16) for grid in codes] for codes in batches]
    grids = tuple(torch.cat(grid) for grid in zip(*pieces, strict=True))
    return CodeSet(grids, codebook_size)


def save_codes(
    path: Path,
    sets: dict[str, CodeSet],
    metadata: dict[str, Any],
    train_ranks: Tensor | None = None,
) -> None:
    """Writes named sets, e.g. `train`, `val`, in one file.

    `train_ranks`: (N,) int64, ranks of the groups of the training images, where these have some.
    """
    tensors = {
        f"{name}.{i}": grid.to(torch.int16)
        for name, codes in sets.items()
        for i, grid in enumerate(codes.grids)
    }
    if train_ranks is not None:
        tensors[TRAIN_RANKS] = train_ranks
    size = next(iter(sets.values())).codebook_size
    save(path, tensors, {"codebook_size": size, **metadata})


def training_codes(sets: dict[str, CodeSet], *, flip: bool) -> CodeSet:
    """The training images' codes, with those of the mirrored images when `flip`."""
    return sets["train"] + sets["train_mirrored"] if flip else sets["train"]


def load_codes(path: Path) -> dict[str, CodeSet]:
    """Reads what `save_codes` wrote. Raises `UserError` when the file is something else."""
    return _code_sets(open_artefact(path, "codebook_size"))


def _code_sets(artefact: Artefact) -> dict[str, CodeSet]:
    names = dict.fromkeys(
        name.rsplit(".", 1)[0] for name in artefact.tensors if name != TRAIN_RANKS
    )
    size = artefact.metadata["codebook_size"]
    return {
        name: CodeSet(
            tuple(
                artefact.tensors[key]
                for key in sorted(key for key in artefact.tensors if key.startswith(f"{name}."))
            ),
            size,
        )
        for name in names
    }


def save_draw(path: Path, codes: CodeSet, seed: int, first: int, metadata: dict[str, Any]) -> None:
    """Writes the codes of the images of a sampling seed from image `first` on."""
    save_codes(path, {"samples": codes}, {"seed": seed, "first": first, **metadata})


def load_draw(path: Path) -> Piece[CodeSet]:
    """Reads what `save_draw` wrote. Raises `UserError` when the file is something else."""
    artefact = open_artefact(path, "first")
    codes = _code_sets(artefact)["samples"]
    return Piece(path, artefact.metadata["seed"], artefact.metadata["first"], codes)
