"""Stage `grid`: samples of an experiment's methods side by side, as a picture."""

from pathlib import Path

from rarl.models.saved_vqvae import load_vqvae
from rarl.pictures import write
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
