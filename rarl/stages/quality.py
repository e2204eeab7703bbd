"""Stage `quality`: features to precision, recall and KID, and what a picture costs to draw."""

from pathlib import Path
from statistics import fmean

import torch

from rarl.config.stages.evaluate import QualitySettings
from rarl.metrics import feature_files
from rarl.metrics.neighbours import kernel_distance, precision_recall, spread
from rarl.runtime import provenance
from rarl.runtime.files import read_json, write_json
from rarl.runtime.sample_shards import merge_shards
from rarl.stages._mean_std import mean_std

Settings = QualitySettings


def run(
    settings: QualitySettings,
    *,
    real: Path,
    samples: list[Path],
    timings: list[Path],
    output: Path,
) -> None:
    """Compute precision, recall and KID of each draw against the reconstructions."""
    reconstructions, _ = feature_files.load(real)
    rows = []
    for pieces in merge_shards(feature_files.load_piece(path) for path in samples).values():
        found = torch.cat(pieces)
        beside = spread(reconstructions, min(len(reconstructions), len(found)))
        precision, recall = precision_recall(found, beside, settings.neighbours)
        subset = min(settings.kid_subset_size, len(found), len(reconstructions))
        kid = kernel_distance(found, reconstructions, settings.kid_subsets, subset)
        rows.append({"precision": precision, "recall": recall, "kid": kid})
    figures = {name: [row[name] for row in rows] for name in rows[0]}
    summary = [mean_std(f"{name}_", values) for name, values in figures.items()]
    spent = [read_json(path) for path in timings]
    write_json(
        output,
        {
            **figures,
            **{name: value for summed in summary for name, value in summed.items()},
            "seconds_per_picture": fmean(of["seconds"] / of["pictures"] for of in spent),
            "device": spent[0]["device"],
        }
        | provenance.describe("quality", settings, real=real, samples=samples, timings=timings),
    )
