"""Stage `distance`: features of samples and moments of the reference to Frechet distances."""

from pathlib import Path

from rarl.config.stages.evaluate import DistanceSettings
from rarl.metrics import moments
from rarl.metrics.feature_files import FeatureFile, moments_of
from rarl.metrics.frechet import frechet_distance
from rarl.results.distances import Distances
from rarl.runtime import provenance
from rarl.runtime.sample_shards import merge_shards
from rarl.stages._write_distances import protocol_of, require_alike, warning

Settings = DistanceSettings


def run(settings: DistanceSettings, *, reference: Path, samples: list[Path], output: Path) -> None:
    """Compute the Frechet distance of the samples of each seed to the reference.

    Reads one file of features at a time.
    """
    target = moments.load(reference)
    files = [FeatureFile(path) for path in samples]
    for file in files:
        require_alike(file.path, file.metadata, reference, target)
    distances, counts = {}, []
    for seed, own in merge_shards(file.piece for file in files).items():
        found = moments_of(file.load() for file in own)
        distances[seed] = frechet_distance(found, target)
        counts.append(found.count)
    hashes = [file.sha256 for file in files]
    Distances(
        protocol=protocol_of(target, counts[0]),
        seeds=tuple(seed for seed in distances if seed is not None),
        distances=tuple(distances.values()),
        warning=warning(min(*counts, target.count), len(target.mean)),
        **provenance.describe("distance", settings, reference=reference, samples=hashes),
    ).write(output)
