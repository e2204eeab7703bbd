"""Stage `reconstruction`: how far reconstructions are from the images (paper's Table 12)."""

from pathlib import Path

from rarl.config.stages.evaluate import ReconstructionSettings
from rarl.metrics import moments
from rarl.metrics.frechet import frechet_distance
from rarl.results.distances import Distances
from rarl.runtime import provenance
from rarl.stages._write_distances import protocol_of, require_alike, warning

Settings = ReconstructionSettings


def run(
    settings: ReconstructionSettings, *, images: Path, reconstructions: Path, output: Path
) -> None:
    """Compute the Frechet distance of the reconstructions to the real images."""
    inputs = {"images": images, "reconstructions": reconstructions}
    target, found = moments.load(images), moments.load(reconstructions)
    require_alike(reconstructions, found.metadata, images, target)
    Distances(
        protocol=protocol_of(target, found.count),
        seeds=(),
        distances=(frechet_distance(found, target),),
        extrapolated=None,
        warning=warning(min(found.count, target.count), len(target.mean)),
        **provenance.describe("reconstruction", settings, **inputs),
    ).write(output)
