"""Stage `quality`: features to precision, recall and KID, and what an image costs to sample."""

from pathlib import Path
from statistics import fmean

import torch

from rarl.config.stages.evaluate import QualitySettings
from rarl.metrics import feature_files
from rarl.metrics.feature_files import FeatureFile
from rarl.metrics.neighbours import kernel_distance, precision_recall, spread
from rarl.results.quality import Quality
from rarl.results.timing import Timing
from rarl.runtime import provenance
from rarl.runtime.sample_shards import merge_shards

Settings = QualitySettings


def run(
    settings: QualitySettings,
    *,
    real: Path,
    samples: list[Path],
    timings: list[Path] | None,
    output: Path,
) -> None:
    """Compute precision, recall and KID of the samples of each seed against the reconstructions.

    Without `timings` there are no seconds: real images cost none.
    Holds the features of one seed at a time.
    """
    reconstructions, _ = feature_files.load(real)
    files = [FeatureFile(path) for path in samples]
    precisions, recalls, kids = [], [], []
    for own in merge_shards(file.piece for file in files).values():
        found = torch.cat([file.load() for file in own])
        beside = spread(reconstructions, min(len(reconstructions), len(found)))
        precision, recall = precision_recall(found, beside, settings.neighbours)
        subset = min(settings.kid_subset_size, len(found), len(reconstructions))
        precisions.append(precision)
        recalls.append(recall)
        kids.append(kernel_distance(found, reconstructions, settings.kid_subsets, subset))
    spent = [Timing.read(path) for path in timings or []]
    hashes = [file.sha256 for file in files]
    Quality(
        precision=tuple(precisions),
        recall=tuple(recalls),
        kid=tuple(kids),
        seconds_per_image=fmean(of.seconds / of.images for of in spent) if spent else None,
        device=spent[0].device if spent else None,
        **provenance.describe(
            "quality", settings, real=real, samples=hashes, timings=timings or []
        ),
    ).write(output)
