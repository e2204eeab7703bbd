"""Draws to one file of codes, and the seconds that they took to another."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from rarl.models.saved import CodeSet, save_draw
from rarl.models.vqvae import Codes
from rarl.runtime.device import name
from rarl.runtime.files import write_json


def save_draws(
    output: Path,
    timing: Path,
    batches: Iterable[Codes],
    codebook_size: int,
    seed: int,
    made: dict[str, Any],
) -> None:
    """Stores batches of codes with their seed; `made` goes into both files."""
    start = time.perf_counter()
    pieces = [[grid.to("cpu", torch.int16) for grid in codes] for codes in batches]
    seconds = time.perf_counter() - start
    grids = tuple(torch.cat(grid) for grid in zip(*pieces, strict=True))
    save_draw(output, CodeSet(grids, codebook_size), seed, made)
    spent = {"pictures": len(grids[0]), "seconds": seconds, "device": name()}
    write_json(timing, spent | made)
