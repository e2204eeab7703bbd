"""From the files of a run to what its gallery shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms.v2.functional import to_pil_image

from rarl import config as configuration
from rarl.config import Config, ConfigError
from rarl.config.stages.features import ExtractorSettings
from rarl.data.pixels import to_pixels
from rarl.data.shards import open_split
from rarl.gallery.content import Experiment, Gallery, MarkdownTable, Method, Neighbour, Sample
from rarl.gallery.nearest import TrainingImages, nearest, training_images
from rarl.layout import Layout, train_log
from rarl.metrics.extractor import Extractor
from rarl.metrics.extractors import load_extractor
from rarl.models.codes import load_draw
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae
from rarl.report.logs import read_selected
from rarl.runtime import device
from rarl.runtime.errors import UserError


@dataclass(frozen=True)
class Options:
    count: int  # samples of each method
    neighbours: int  # training images beside each sample
    training_images: int  # among how many they are looked for


def collect(config: Config, experiments: Sequence[str], options: Options) -> Gallery:
    """Of the experiments that are named; where none is, of all with samples.

    Raises `ConfigError` for an unknown name, `UserError` where there are no samples.
    """
    for name in experiments:
        if name not in config.experiments:
            known = configuration.nearest(name, list(config.experiments))
            raise ConfigError(f"no experiment is named '{name}'{known}")
    named = experiments or [name for name in config.experiments if _methods(config, name)]
    if not named:
        raise UserError(f"{config.results}: no experiment has samples yet; run the workflow first")
    shown = tuple(_experiment(config, name, options) for name in named)
    return Gallery(config.results, shown, tuple(_tables(config, set(named))))


def _samples(config: Config, experiment: str, method: str) -> Path:
    """The first samples of the first seed."""
    seed = config.experiments[experiment].sampling.seeds[0]
    pattern = Layout(config.results).samples
    return Path(pattern.format(experiment=experiment, method=method, seed=seed, shard=0))


def _methods(config: Config, experiment: str) -> list[str]:
    """The methods with samples."""
    return [name for name in config.methods if _samples(config, experiment, name).is_file()]


def _experiment(config: Config, name: str, options: Options) -> Experiment:
    of, layout, on = config.experiments[name], Layout(config.results), device.pick()
    methods = _methods(config, name)
    if not methods:
        raise UserError(f"experiment {name}: has no samples yet; run the workflow first")
    manifest = Path(layout.manifest.format(dataset=of.dataset, image_size=of.image_size))
    extractor = load_extractor(ExtractorSettings.from_config(config, name), on)
    training = training_images(
        extractor,
        open_split(manifest, "train"),
        open_split(manifest, "val"),
        options.training_images,
    )
    source = of.oracle.of if of.oracle else name  # the experiment whose codes it learns
    vqvae = load_vqvae(Path(layout.vqvae.format(experiment=source)), on)
    curves = Path(layout.plot.format(figure=f"curves-{name}"))
    levels = " + ".join(f"{side}x{side}" for side in of.latents)
    return Experiment(
        name=name,
        description=f"{of.dataset}, {of.image_size}x{of.image_size} images from {levels} codes",
        seed=of.sampling.seeds[0],
        methods=tuple(
            Method(
                config.methods[method].label,
                _iteration(config, name, method),
                _decode(_samples(config, name, method), vqvae, extractor, training, options),
            )
            for method in methods
        ),
        training_images=len(training.pixels),
        training_total=training.total,
        near=training.near,
        median=training.median,
        curves=Image.open(curves) if curves.is_file() else None,
    )


def _iteration(config: Config, experiment: str, method: str) -> str:
    """Which iteration of how many the samples are of."""
    run = {"experiment": experiment, "method": config.prior_of(method)}
    return read_selected(Path(train_log(Layout(config.results).tuned.format(**run)))).line()


def _decode(
    path: Path, vqvae: VQVAE, extractor: Extractor, training: TrainingImages, options: Options
) -> tuple[Sample, ...]:
    """The first samples of a file, each with its neighbours."""
    codes = load_draw(path).content
    first = codes.take(torch.arange(min(options.count, len(codes))), vqvae.device)
    with torch.no_grad():
        pixels = to_pixels(vqvae.decode(first))
    found = nearest(extractor(pixels).cpu(), training.features, options.neighbours)
    return tuple(
        Sample(
            to_pil_image(image),
            tuple(
                Neighbour(to_pil_image(training.pixels[index]), float(distance))
                for distance, index in zip(distances, indices, strict=True)
            ),
        )
        for image, distances, indices in zip(pixels.cpu(), *found, strict=True)
    )


def _tables(config: Config, shown: set[str]) -> list[MarkdownTable]:
    """The finished tables that show one of the experiments."""
    pattern, found = Layout(config.results).markdown, []
    for name, table in config.tables.items():
        path, of = Path(pattern.format(table=name)), table.experiments
        if path.is_file() and shown & set(of):
            found.append(MarkdownTable(path.read_text(encoding="utf-8"), of))
    return found
