"""Stage `reconstruction`: how far reconstructions are from the pictures (paper's Table 12)."""

from pathlib import Path

from rarl.config.stages.evaluate import DistanceSettings
from rarl.metrics import moments
from rarl.runtime import provenance
from rarl.stages._write_distances import compare, require_alike

Settings = DistanceSettings


def run(settings: DistanceSettings, *, images: Path, reconstructions: Path, output: Path) -> None:
    """Compute the Frechet distance of the reconstructions to the real pictures."""
    inputs = {"images": images, "reconstructions": reconstructions}
    made = provenance.describe("reconstruction", settings, **inputs)
    target, found = moments.load(images), moments.load(reconstructions)
    require_alike(reconstructions, found.metadata, images, target)
    compare(target, [found], output, {"seeds": [], **made})
