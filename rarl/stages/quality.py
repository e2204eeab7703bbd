"""Stage `quality`: samples to precision, recall and KID, and what a picture costs to draw."""

from pathlib import Path
from statistics import fmean

import torch

from rarl.metrics.extractor import features
from rarl.metrics.extractors import load_extractor
from rarl.metrics.neighbours import kernel_distance, precision_recall, spread
from rarl.models.saved import load_codes, load_draw, load_vqvae
from rarl.runtime import device, provenance
from rarl.runtime.files import read_json, write_json
from rarl.stage_settings import QualitySettings
from rarl.stages._decoding import decode
from rarl.stages._seeds import over_seeds

Settings = QualitySettings


def run(
    settings: QualitySettings,
    *,
    vqvae: Path,
    codes: Path,
    samples: list[Path],
    timings: list[Path],
    output: Path,
) -> None:
    """Compute precision, recall and KID of each draw against the reconstructions."""
    on = device.pick()
    extractor, decoder = load_extractor(settings.extractor, on), load_vqvae(vqvae, on)
    size = settings.batch_size
    real = torch.cat(
        list(features(extractor, decode(decoder, load_codes(codes)["train"], size, "real")))
    )
    rows = []
    for path in samples:
        drawn, _ = load_draw(path)
        found = torch.cat(list(features(extractor, decode(decoder, drawn, size, path.stem))))
        beside = spread(real, min(len(real), len(found)))
        precision, recall = precision_recall(found, beside, settings.neighbours)
        subset = min(settings.kid_subset_size, len(found), len(real))
        kid = kernel_distance(found, real, settings.kid_subsets, subset)
        rows.append({"precision": precision, "recall": recall, "kid": kid})
    figures = {name: [row[name] for row in rows] for name in rows[0]}
    summary = [over_seeds(f"{name}_", values) for name, values in figures.items()]
    spent = [read_json(path) for path in timings]
    write_json(
        output,
        {
            **figures,
            **{name: value for summed in summary for name, value in summed.items()},
            "seconds_per_picture": fmean(of["seconds"] / of["pictures"] for of in spent),
            "device": spent[0]["device"],
        }
        | provenance.describe(
            "quality", settings, vqvae=vqvae, codes=codes, samples=samples, timings=timings
        ),
    )
