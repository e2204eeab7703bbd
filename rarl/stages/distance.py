"""Stage `distance`: features of samples and moments of the reference to Frechet distances."""

from pathlib import Path

import torch

from rarl.config.stages.evaluate import DistanceSettings
from rarl.metrics import moments
from rarl.metrics.extrapolation import even_counts, extrapolated_distance
from rarl.metrics.feature_files import FeatureFile, moments_of
from rarl.metrics.frechet import frechet_distance
from rarl.metrics.moments import SavedMoments
from rarl.results.distances import Distances
from rarl.runtime import provenance, seeds
from rarl.runtime.sample_shards import merge_shards
from rarl.stages._write_distances import protocol_of, require_alike, warning

Settings = DistanceSettings
COUNTS, LEAST = 15, 0.1  # as Chong & Forsyth 2020: 15 counts, from 5,000 to 50,000


def run(settings: DistanceSettings, *, reference: Path, samples: list[Path], output: Path) -> None:
    """Compute the Frechet distance of the samples of each seed to the reference.

    Reads one file of features at a time; with `extrapolation`, the files of one seed.
    """
    target = moments.load(reference)
    files = [FeatureFile(path) for path in samples]
    for file in files:
        require_alike(file.path, file.metadata, reference, target)
    distances, extrapolated, counts = {}, [], []
    for seed, own in merge_shards(file.piece for file in files).items():
        if settings.extrapolation:
            whole = torch.cat([file.load() for file in own])
            extrapolated.append(_extrapolated(whole, target, seed))
            found = moments_of([whole])
        else:
            found = moments_of(file.load() for file in own)
        distances[seed] = frechet_distance(found, target)
        counts.append(found.count)
    hashes = [file.sha256 for file in files]
    Distances(
        protocol=protocol_of(target, counts[0]),
        seeds=tuple(seed for seed in distances if seed is not None),
        distances=tuple(distances.values()),
        extrapolated=tuple(extrapolated) if settings.extrapolation else None,
        warning=warning(min(*counts, target.count), len(target.mean)),
        **provenance.describe("distance", settings, reference=reference, samples=hashes),
    ).write(output)


def _extrapolated(features: torch.Tensor, target: SavedMoments, seed: int | None) -> float:
    counts = even_counts(max(2, round(LEAST * len(features))), len(features), COUNTS)
    chance = seeds.generator(0 if seed is None else seed, "extrapolation")
    return extrapolated_distance(features, target, counts, chance)
