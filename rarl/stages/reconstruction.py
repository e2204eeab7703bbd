"""Stage `reconstruction`: how far reconstructions are from the pictures (paper's Table 12)."""

from pathlib import Path

from rarl.plan import DistanceSettings
from rarl.stages.distance import run as distance

Settings = DistanceSettings


def run(settings: DistanceSettings, *, images: Path, reconstructions: Path, output: Path) -> None:
    """Compute the Frechet distance of the reconstructions to the real pictures."""
    distance(settings, reference=images, samples=[reconstructions], output=output)
