"""Stage `image_grid`: samples of an experiment's methods side by side, as a picture."""

from pathlib import Path

from rarl.config.stages.report import ImageGridSettings
from rarl.image_grid import write
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device
from rarl.stages._image_row import strip

Settings = ImageGridSettings


def run(
    settings: ImageGridSettings,
    *,
    vqvae: Path,
    samples: list[Path],
    finetunings: list[Path],
    output: Path,
) -> None:
    """Show the first samples of each method; `finetunings` are the logs of what made each prior."""
    decoder = load_vqvae(vqvae, device.pick())
    write(strip(decoder, settings.labels, samples, finetunings), output)
