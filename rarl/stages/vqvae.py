"""Stage `vqvae`: images to a trained VQ-VAE."""

from pathlib import Path

from rarl.config.stages.train import VqvaeSettings
from rarl.data.shards import open_split
from rarl.models.vqvae_file import save_vqvae
from rarl.runtime import device, provenance
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.vqvae import train_vqvae

Settings = VqvaeSettings


def run(settings: VqvaeSettings, *, data: Path, output: Path, metrics: Path) -> None:
    """Train the VQ-VAE on prepared images."""
    made = provenance.describe("vqvae", settings, data=data)
    with Checkpoints(output, made) as checkpoints:
        model = train_vqvae(
            settings,
            open_split(data, "train"),
            open_split(data, "val"),
            device=device.pick(),
            log=TrainLog(metrics),
            checkpoints=checkpoints,
        )
        save_vqvae(output, model, made)
