"""Draws to one file of codes, and the seconds that they took to another."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from rarl.config.stages.evaluate import SampleSettings
from rarl.models.codes import Codes, gather, save_draw
from rarl.results.timing import Timing
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.device import name
from rarl.runtime.progress import track


def write_samples(
    output: Path,
    timing: Path,
    settings: SampleSettings,
    batches: Callable[[int], Iterable[Codes]],
    codebook_size: int,
    made: dict[str, Any],
    checkpoints: Checkpoints,
) -> None:
    """Stores the codes that `batches(n)` gives, from image n on; `made` goes into both files.

    Goes on from a checkpoint behind the images that it holds.
    """
    saved = checkpoints.load() or {"drawn": [], "seconds": 0.0}
    drawn: list[Codes] = saved["drawn"]
    done = sum(len(codes[0]) for codes in drawn)
    start = time.perf_counter() - saved["seconds"]
    total = -(-settings.count // settings.batch_size)
    for codes in track(batches(settings.first + done), total, "draw", "batch", len(drawn)):
        drawn.append(tuple(grid.to("cpu", torch.int16) for grid in codes))
        done += len(codes[0])
        checkpoints.visit(
            len(drawn),
            f"image {settings.first + done}",
            lambda: {"drawn": drawn, "seconds": time.perf_counter() - start},
        )
    seconds = time.perf_counter() - start
    save_draw(output, gather(drawn, codebook_size), settings.seed, settings.first, made)
    Timing(images=done, seconds=seconds, device=name(), **made).write(timing)
