"""Draws to one file of codes, and the seconds that they took to another."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rarl.models.saved import gather, save_draw
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
    drawn = gather(batches, codebook_size)
    seconds = time.perf_counter() - start
    save_draw(output, drawn, seed, made)
    spent = {"pictures": len(drawn), "seconds": seconds, "device": name()}
    write_json(timing, spent | made)
