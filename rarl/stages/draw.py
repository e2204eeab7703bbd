"""Stage `draw`: a prior to grids of codes."""

from pathlib import Path

from rarl.models.saved import load_prior
from rarl.runtime import device, provenance
from rarl.runtime.progress import track
from rarl.sampling import draw
from rarl.stage_settings import DrawSettings
from rarl.stages._drawing import save_draws

Settings = DrawSettings


def run(settings: DrawSettings, *, prior: Path, output: Path, timing: Path) -> None:
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
    shown = track(batches, -(-settings.count // size), "draw", "batch")
    made = provenance.describe("draw", settings, prior=prior)
    save_draws(output, timing, shown, model.codebook_size, settings.seed, made)
