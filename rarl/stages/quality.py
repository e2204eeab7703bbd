"""Stage `quality`: features to precision, recall and KID, and what an image costs to sample."""

from pathlib import Path
from statistics import fmean

import torch

from rarl.config.stages.evaluate import QualitySettings
from rarl.metrics import feature_files
from rarl.metrics.feature_files import FeatureFile
from rarl.metrics.memorisation import memorisation
from rarl.metrics.nearest import nearest_distances
from rarl.metrics.neighbours import kernel_distance, precision_recall, spread
from rarl.results.quality import Memorisation, Quality
from rarl.results.timing import Timing
from rarl.runtime import provenance
from rarl.runtime.sample_shards import merge_shards

Settings = QualitySettings


def run(
    settings: QualitySettings,
    *,
    real: Path,
    samples: list[Path],
    held_out: Path | None,
    timings: list[Path] | None,
    output: Path,
) -> None:
    """Compute precision, recall and KID of the samples of each seed against the reconstructions.

    And, beside the images of `held_out`, how many samples lie near one of the reconstructions,
    which are of training images. Without `timings` there are no seconds: real images cost none.
    Holds the features of one seed at a time.
    """
    reconstructions, _ = feature_files.load(real)
    files = [FeatureFile(path) for path in samples]
    precisions, recalls, kids, nearest = [], [], [], []
    for own in merge_shards(file.piece for file in files).values():
        found = torch.cat([file.load() for file in own])
        beside = spread(reconstructions, min(len(reconstructions), len(found)))
        precision, recall = precision_recall(found, beside, settings.neighbours)
        subset = min(settings.kid_subset_size, len(found), len(reconstructions))
        precisions.append(precision)
        recalls.append(recall)
        kids.append(kernel_distance(found, reconstructions, settings.kid_subsets, subset))
        if held_out is not None:
            nearest.append(nearest_distances(found, reconstructions))
    spent = [Timing.read(path) for path in timings or []]
    inputs = {} if held_out is None else {"held_out": held_out}
    hashes = [file.sha256 for file in files]
    Quality(
        precision=tuple(precisions),
        recall=tuple(recalls),
        kid=tuple(kids),
        memorisation=_memorisation(settings, reconstructions, held_out, nearest),
        seconds_per_image=fmean(of.seconds / of.images for of in spent) if spent else None,
        device=spent[0].device if spent else None,
        **provenance.describe(
            "quality", settings, real=real, samples=hashes, timings=timings or [], **inputs
        ),
    ).write(output)


def _memorisation(
    settings: QualitySettings,
    reconstructions: torch.Tensor,
    held_out: Path | None,
    nearest: list[torch.Tensor],
) -> Memorisation | None:
    """`nearest`: of each seed, the distances of the samples to the nearest reconstruction."""
    if held_out is None:
        return None
    unseen, _ = feature_files.load(held_out)
    of_unseen = nearest_distances(unseen, reconstructions)
    found = [
        memorisation(of, of_unseen, settings.near_quantile, settings.near_confidence)
        for of in nearest
    ]
    return Memorisation(
        shares=tuple(of.share for of in found),
        expected=found[0].expected,
        low=found[0].low,
        high=found[0].high,
        confidence=settings.near_confidence,
        training=len(reconstructions),
        held_out=len(unseen),
    )
