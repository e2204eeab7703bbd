"""Stage `grid`: samples of an experiment's methods side by side, as a picture."""

from pathlib import Path

from rarl.image_grid import write
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device
from rarl.stage_settings import ImageGridSettings
from rarl.stages._strip import strip

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
