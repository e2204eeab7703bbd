"""Stage `prior`: codes to a prior, by maximum likelihood."""

from pathlib import Path

from rarl.config.stages.train import PriorSettings
from rarl.models.codes import load_codes, training_codes
from rarl.models.prior_file import save_prior
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.prior import train_prior

Settings = PriorSettings


def run(settings: PriorSettings, *, codes: Path, output: Path, metrics: Path) -> None:
    """Train the prior on codes by maximum likelihood."""
    sets = load_codes(codes)
    made = provenance.describe("prior", settings, codes=codes)
    with Checkpoints(output, made) as checkpoints:
        prior = train_prior(
            settings,
            training_codes(sets, flip=settings.prior.flip),
            sets["val"],
            device=device.pick(),
            log=TrainLog(metrics),
            checkpoints=checkpoints,
        )
        save_prior(output, prior, made)
