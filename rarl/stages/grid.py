"""Stage `grid`: samples of an experiment's methods side by side, as a picture."""

from pathlib import Path

from rarl.models.saved import load_vqvae
from rarl.pictures import write
from rarl.runtime import device
from rarl.stage_settings import GridSettings
from rarl.stages._strip import strip

Settings = GridSettings


def run(settings: GridSettings, *, vqvae: Path, samples: list[Path], output: Path) -> None:
    """Show the first samples of each method."""
    write(strip(load_vqvae(vqvae, device.pick()), settings.labels, samples), output)
