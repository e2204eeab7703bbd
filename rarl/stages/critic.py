"""Stage `critic`: a critic of one prior's samples, for rejection sampling."""

from pathlib import Path

from rarl.config.stages.train import CriticTraining
from rarl.models.codes import load_codes, training_codes
from rarl.models.prior_file import load_prior
from rarl.models.vqvae_file import load_vqvae
from rarl.rl.critics.file import save_critic
from rarl.rl.train_critic import train_critic
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog

Settings = CriticTraining


def run(
    settings: CriticTraining,
    *,
    vqvae: Path,
    codes: Path,
    prior: Path,
    output: Path,
    metrics: Path,
) -> None:
    """Train a critic to tell a prior's samples from reconstructions."""
    on = device.pick()
    inputs = {"vqvae": vqvae, "codes": codes, "prior": prior}
    made = provenance.describe("critic", settings, **inputs)
    with Checkpoints(output, made) as checkpoints:
        critic = train_critic(
            settings,
            load_prior(prior, device=on),
            load_vqvae(vqvae, on),
            training_codes(load_codes(codes), flip=settings.flip),
            log=TrainLog(metrics),
            checkpoints=checkpoints,
        )
        save_critic(output, critic, made)
