"""Stage `seconds`: how long a batch of rollouts takes, whole or in part (paper's Table 11)."""

import time
from pathlib import Path

import torch

from rarl.config.stages.evaluate import SecondsSettings
from rarl.models.prior import stack
from rarl.results.seconds import Seconds
from rarl.rl.rollouts import random_part
from rarl.runtime import device, precision, provenance, seeds
from rarl.runtime.progress import track
from rarl.sampling import sample

Settings = SecondsSettings
REPEATS = 3  # after one to warm up


def run(settings: SecondsSettings, *, output: Path) -> None:
    """Time drawing a batch, with random weights: they change nothing about the time."""
    on = device.pick()
    torch.manual_seed(seeds.derive(0, "seconds"))
    prior = stack(settings.priors, settings.latents, settings.codebook_size).to(on).eval()
    context = tuple(
        torch.randint(settings.codebook_size, (settings.batch_size, side, side)).to(on)
        for side in settings.latents
    )
    uniforms = torch.rand(settings.batch_size, sum(prior.positions)).to(on)
    times = []
    for _ in track(range(1 + REPEATS), 1 + REPEATS, "seconds", "batch"):
        rows = random_part(settings.rows, settings.latents)
        device.wait()
        start = time.perf_counter()
        with precision.autocast(settings.precision):
            sample(prior, uniforms, temperature=1.0, top_k=0, context=context, rows=rows)
        device.wait()
        times.append(time.perf_counter() - start)
    Seconds(
        batch_size=settings.batch_size,
        device=device.name(),
        seconds=tuple(times[1:]),
        **provenance.describe("seconds", settings),
    ).write(output)
