"""Stage `sample`: a prior to grids of codes."""

from pathlib import Path

import torch

from rarl.models.saved import CodeSet, load_prior, save_codes
from rarl.plan import SampleSettings
from rarl.runtime import device, provenance
from rarl.runtime.progress import track
from rarl.sampling import sample, uniforms_for

Settings = SampleSettings


def run(settings: SampleSettings, *, prior: Path, output: Path) -> None:
    """Draw codes from a prior."""
    on = device.pick()
    model = load_prior(prior, on)
    grids, size = [], settings.batch_size
    batches = range(0, settings.count, size)
    for first in track(batches, len(batches), "sample", "batch"):
        count = min(size, settings.count - first)
        uniforms = uniforms_for(settings.seed, first, count, model.side**2, on)
        codes = sample(model, uniforms, temperature=settings.temperature, top_k=settings.top_k)
        grids.append(codes.to("cpu", torch.int16))
    drawn = CodeSet((torch.cat(grids),), model.codebook_size)
    save_codes(output, {"samples": drawn}, provenance.describe("sample", settings, prior=prior))
