"""Stage `reconstruction`: how far reconstructions are from the pictures (paper's Table 12)."""

from pathlib import Path

from rarl.runtime import provenance
from rarl.stage_settings import DistanceSettings
from rarl.stages.distance import compare

Settings = DistanceSettings


def run(settings: DistanceSettings, *, images: Path, reconstructions: Path, output: Path) -> None:
    """Compute the Frechet distance of the reconstructions to the real pictures."""
    inputs = {"images": images, "reconstructions": reconstructions}
    made = provenance.describe("reconstruction", settings, **inputs)
    compare(images, [reconstructions], output, made)
