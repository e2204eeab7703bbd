"""Training codes in two parts that share no group of images (`rarl.data.groups`)."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from rarl.data.groups import last_groups
from rarl.models.codes import TRAIN_RANKS, CodeSet, load_codes
from rarl.runtime.artefact import load
from rarl.runtime.errors import UserError


class HeldOut(NamedTuple):
    """The codes of the images that stay, and of those that are left out."""

    kept: CodeSet
    held_out: CodeSet


def hold_out(codes: CodeSet, ranks: Tensor, count: int) -> HeldOut:
    """Leaves out about `count` images: whole groups, the last by rank (`last_groups`).

    `ranks`: (N,) int64, of each image's group. Raises `ValueError` when there is but one group.
    """
    out = torch.from_numpy(last_groups(ranks.numpy(), count))  # (N,)
    return HeldOut(*(_where(codes, chosen) for chosen in (~out, out)))


def hold_out_of_file(path: Path, count: int) -> HeldOut:
    """`hold_out` of the training codes that the stage `codes` wrote. Raises `UserError`."""
    codes, ranks = load_codes(path)["train"], load_train_ranks(path)
    try:
        return hold_out(codes, ranks, count)
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None


def load_train_ranks(path: Path) -> Tensor:
    """(N,) int64: rank of the group of each training image.

    Raises `UserError` when the file holds none: codes of an oracle are of no images.
    """
    tensors = load(path).tensors
    if TRAIN_RANKS not in tensors:
        raise UserError(f"{path}: holds no groups of images; make it from images, again")
    return tensors[TRAIN_RANKS]


def _where(codes: CodeSet, chosen: Tensor) -> CodeSet:
    """`chosen`: (N,) bool."""
    return CodeSet(tuple(grid[chosen] for grid in codes.grids), codes.codebook_size)
