"""Stage `prior`: codes to a prior, by maximum likelihood."""

from pathlib import Path

from rarl.models.saved import load_codes, save_prior, training_codes
from rarl.runtime import device, provenance
from rarl.runtime.metrics_log import MetricsLog
from rarl.stage_settings import PriorSettings
from rarl.train.prior import train_prior

Settings = PriorSettings


def run(settings: PriorSettings, *, codes: Path, output: Path, metrics: Path) -> None:
    """Train the prior on codes by maximum likelihood."""
    sets = load_codes(codes)
    prior = train_prior(
        settings.prior,
        training_codes(sets, flip=settings.prior.flip),
        sets["val"],
        grid=settings.grid,
        seed=settings.seed,
        device=device.pick(),
        log=MetricsLog(metrics),
    )
    save_prior(output, prior, provenance.describe("prior", settings, codes=codes))
