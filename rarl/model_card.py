"""The README.md of a model folder: YAML for a hub, then text for people. Imports no torch.

The YAML follows the hub's specification of model cards, `model-index` its form of results.
"""

from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import yaml

from rarl.config import Config
from rarl.layout import Layout, train_log
from rarl.report.logs import read_selected
from rarl.results.distances import Distances
from rarl.results.quality import Quality
from rarl.runtime.files import read_json

# Of the weights, where the images' licence decides it; else the user says it.
LICENSES = {"openmoji": "cc-by-sa-4.0"}
PAPER = "https://arxiv.org/abs/2007.09923"
TASK = "unconditional-image-generation"


def text(config: Config, experiment: str, method: str, license_id: str) -> str:
    """The card of a method of an experiment, with what its run has measured."""
    measured = Measured(config, experiment, method)
    head = yaml.safe_dump(_front_matter(measured, license_id), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{_body(measured, license_id)}"


class Measured:
    """What a run's files say of a model."""

    def __init__(self, config: Config, experiment: str, method: str) -> None:
        self.name, self.of = experiment, config.experiments[experiment]
        self.label = config.methods[method].label
        layout, run = Layout(config.results), {"experiment": experiment, "method": method}
        quality = Path(layout.quality.format(**run))
        distances = [
            Path(layout.distance.format(extractor=name, **run))
            for name in self.of.evaluation.extractors
        ]
        manifest = Path(
            layout.manifest.format(dataset=self.of.dataset, image_size=self.of.image_size)
        )
        self.distances = [Distances.read(path) for path in distances if path.is_file()]
        self.quality = Quality.read(quality) if quality.is_file() else None
        self.manifest = read_json(manifest) if manifest.is_file() else None
        log = Path(train_log(layout.tuned.format(**run)))
        self.selected = read_selected(log) if log.is_file() else None

    @property
    def metrics(self) -> dict[str, float]:
        """Means over the sampling seeds, and the NLL of the validation images' codes."""
        found = {}
        for of in self.distances:
            found[of.protocol.label] = fmean(of.distances)
        if self.quality:
            found["precision"] = fmean(self.quality.precision)
            found["recall"] = fmean(self.quality.recall)
            found["KID"] = fmean(self.quality.kid)
        if self.selected:
            found["validation NLL, nats a code"] = self.selected.val_nll
        return {name: float(f"{value:.5g}") for name, value in found.items()}

    @property
    def source(self) -> str:
        return str(self.manifest["source"]) if self.manifest else f"data set {self.of.dataset}"


def _front_matter(measured: Measured, license_id: str) -> dict[str, Any]:
    head = {
        "license": license_id,
        "library_name": "rarl",
        "pipeline_tag": TASK,
        "tags": ["vq-vae", "pixelcnn", "autoregressive", "reinforcement-learning"],
        "metrics": list(measured.metrics),
    }
    if not measured.metrics:  # a hub refuses an index without results
        return head
    results = {
        "task": {"type": TASK},
        "dataset": {"type": measured.of.dataset, "name": measured.source},
        "metrics": [
            {"type": name, "value": value, "name": name} for name, value in measured.metrics.items()
        ],
    }
    model = {"name": f"{measured.name}, {measured.label}", "results": [results]}
    return head | {"model-index": [model]}


def _body(measured: Measured, license_id: str) -> str:
    of = measured.of
    levels = " + ".join(f"{side}x{side}" for side in of.latents)
    rows = [f"| {name} | {value} |" for name, value in measured.metrics.items()]
    table = ["| metric | value |", "|---|---:|", *rows] if rows else ["Not measured."]
    paragraphs = [
        f"# {measured.name}: {measured.label}",
        f"A VQ-VAE and a gated PixelCNN prior of its {levels} codes (a codebook of "
        f"{of.vqvae.codebook_size}), for {of.image_size}x{of.image_size} images. Trained by rarl, "
        f"an implementation of [Reinforced Adversarial Learning]({PAPER}).",
        "![Samples, not selected: the first 36 of seed 0](samples.png)",
        "## How to load it",
        "```python\nimport rarl\n\n"
        'model = rarl.load("path/to/this/folder")\n'
        'images = model.sample(16, seed=0, output_type="pil")\n```',
        "## Metrics",
        "\n".join(table),
        *_protocol(measured),
        "## Data",
        _data(measured),
        "## Licence",
        f"`{license_id}`. The weights are made from the images above; check that their licence "
        "allows what you do with them.",
        "## Limits",
        "The model makes images of the kind that it was trained on, and nothing else. It was not "
        "tested for privacy: samples may be close to training images.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _protocol(measured: Measured) -> list[str]:
    """What must be equal for two distances to compare."""
    paragraphs = []
    for found in measured.distances:
        values = found.distances
        deviation = f" ± {stdev(values):.5g}" if len(values) > 1 else ""
        paragraphs.append(
            f"{found.protocol.label}: {fmean(values):.5g}{deviation}, over {len(values)} sampling "
            f"seeds. {found.protocol.line()}. Distances compare under one protocol only."
        )
        if found.warning:
            paragraphs.append(f"Warning: {found.warning}.")
    if paragraphs and measured.selected:
        paragraphs.append(f"The weights are those of {measured.selected.line()} of fine-tuning.")
    return paragraphs


def _data(measured: Measured) -> str:
    if not measured.manifest:
        return f"{measured.source}, at {measured.of.image_size}x{measured.of.image_size}."
    splits = ", ".join(
        f"{split['count']:,} {name}" for name, split in measured.manifest["splits"].items()
    )
    return f"{measured.source}: {splits}; SHA-256 of the images {measured.manifest['hash'][:16]}."
