"""Stage `distance`: features of samples and moments of the reference to Frechet distances."""

from pathlib import Path

from rarl.config.stages.evaluate import DistanceSettings
from rarl.metrics import feature_files, moments
from rarl.runtime import provenance
from rarl.runtime.sample_shards import merge_shards
from rarl.stages._write_distances import compare, require_alike

Settings = DistanceSettings


def run(settings: DistanceSettings, *, reference: Path, samples: list[Path], output: Path) -> None:
    """Compute the Frechet distance of each draw to the reference."""
    made = provenance.describe("distance", settings, reference=reference, samples=samples)
    target = moments.load(reference)
    found = []
    for path in samples:
        features, metadata = feature_files.load(path)
        require_alike(path, metadata, reference, target)
        found.append(feature_files.piece_of(path, features, metadata))
    pieces = merge_shards(found)
    draws = [feature_files.moments_of(own) for own in pieces.values()]
    compare(target, draws, output, {"seeds": list(pieces), **made})
