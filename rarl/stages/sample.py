"""Stage `sample`: a prior to grids of codes."""

from pathlib import Path

import torch

from rarl.models.saved import CodeSet, load_prior, save_codes
from rarl.plan import SampleSettings
from rarl.runtime import device, provenance
from rarl.runtime.progress import track
from rarl.sampling import draw

Settings = SampleSettings


def run(settings: SampleSettings, *, prior: Path, output: Path) -> None:
    """Draw codes from a prior."""
    model, size = load_prior(prior, device=device.pick()), settings.batch_size
    batches = draw(
        model,
        settings.seed,
        settings.count,
        size,
        temperature=settings.temperature,
        top_k=settings.top_k,
    )
    shown = track(batches, -(-settings.count // size), "sample", "batch")
    pieces = [[grid.to("cpu", torch.int16) for grid in codes] for codes in shown]
    grids = tuple(torch.cat(grid) for grid in zip(*pieces, strict=True))
    drawn = CodeSet(grids, model.codebook_size)
    save_codes(output, {"samples": drawn}, provenance.describe("sample", settings, prior=prior))
