"""Stage `critic`: a critic of one prior's samples, for rejection sampling."""

from pathlib import Path

from rarl.models.codes import load_codes, training_codes
from rarl.models.saved_critic import save_critic
from rarl.models.saved_prior import load_prior
from rarl.models.saved_vqvae import load_vqvae
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.metrics_log import MetricsLog
from rarl.stage_settings import CriticTraining
from rarl.train.critic import train_critic

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
            log=MetricsLog(metrics),
            checkpoints=checkpoints,
        )
        save_critic(output, critic, made)
