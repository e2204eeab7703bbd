"""The stages and what each may depend on: which part of the configuration a stage is given.

A rule passes its stage's settings as one sorted JSON string, so that the command can be replayed
by hand and a change re-runs exactly the stages that it concerns. Imports no torch.
"""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from rarl.config import (
    RESERVED,
    Config,
    ConfigError,
    Count,
    CountOrZero,
    Dataset,
    Finetuning,
    Positive,
    Prior,
    Real,
    Rl,
    Settings,
    Vqvae,
    nearest,
)

SUFFIXES = (".csv", ".json", ".jsonl", ".md", ".npz", ".png", ".safetensors")  # of the outputs


class PrepareSettings(Settings):
    dataset: Dataset
    image_size: Count


class VqvaeSettings(Settings):
    seed: CountOrZero
    image_size: Count
    latents: tuple[Count, ...]
    vqvae: Vqvae


class CodesSettings(Settings):
    batch_size: Count


class PriorSettings(Settings):
    seed: CountOrZero
    grid: CountOrZero  # 0 is the coarsest
    prior: Prior


class ExtractorSettings(Settings):
    """How features are computed; part of the protocol behind every distance."""

    name: Literal["inception", "efficientnet_lite0"]
    weights: str | None


class FinetuneSettings(Settings):
    seed: CountOrZero
    flip: bool  # train on the codes of mirrored pictures, too
    objective: Literal["mle", "reinforce"]
    rl: Rl | Finetuning  # Finetuning alone for `mle`, which has no critic
    temperature: Positive
    top_k: CountOrZero
    extractor: ExtractorSettings


class SampleSettings(Settings):
    seed: CountOrZero
    count: Count
    batch_size: Count
    temperature: Positive
    top_k: CountOrZero


class ReferenceSettings(Settings):
    reference: Literal["reconstructions", "images"]
    extractor: ExtractorSettings
    batch_size: Count


class FeaturesSettings(Settings):
    extractor: ExtractorSettings
    batch_size: Count


class DistanceSettings(Settings):
    """Nothing to set: the protocol travels in the moments' files."""


class GridSettings(Settings):
    labels: tuple[str, ...]  # of the methods, left to right


class CurvesSettings(Settings):
    title: str
    grids: tuple[str, ...]  # of the priors, in the order of their metrics
    labels: tuple[str, ...]  # of the methods, likewise


class TableSettings(Settings):
    title: str
    headings: tuple[str, ...]  # of the columns
    labels: tuple[str, ...]  # of the rows
    paper: tuple[Annotated[tuple[Real | None, ...], Field()] | None, ...]  # row by row


def to_json(settings: Settings) -> str:
    """One canonical line: equal settings give equal text."""
    return json.dumps(settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def prepare(config: Config, dataset: str, image_size: int) -> PrepareSettings:
    return PrepareSettings(dataset=config.datasets[dataset], image_size=image_size)


def vqvae(config: Config, experiment: str) -> VqvaeSettings:
    of = config.experiments[experiment]
    return VqvaeSettings(seed=of.seed, image_size=of.image_size, latents=of.latents, vqvae=of.vqvae)


def codes(config: Config, experiment: str) -> CodesSettings:
    return CodesSettings(batch_size=config.experiments[experiment].vqvae.batch_size)


def prior(config: Config, experiment: str, grid: str) -> PriorSettings:
    of = config.experiments[experiment]
    return PriorSettings(seed=of.seed, grid=of.grids.index(grid), prior=of.prior.of(grid))


def extractor(config: Config, experiment: str) -> ExtractorSettings:
    of = config.experiments[experiment].evaluation
    return ExtractorSettings(name=of.extractor, weights=of.weights)


def finetune(config: Config, experiment: str, method: str) -> FinetuneSettings:
    of = config.experiments[experiment]
    objective = config.methods[method].objective
    rl: Rl | Finetuning = config.finetuning(experiment, method)
    if objective == "mle":
        rl = Finetuning.model_validate(
            {name: getattr(rl, name) for name in Finetuning.model_fields}
        )
    return FinetuneSettings(
        seed=of.seed,
        flip=of.prior.flip,
        objective=objective,
        rl=rl,
        temperature=of.sampling.temperature,
        top_k=of.sampling.top_k,
        extractor=extractor(config, experiment),
    )


def sample(config: Config, experiment: str, seed: int) -> SampleSettings:
    of = config.experiments[experiment].sampling
    return SampleSettings(
        seed=seed,
        count=of.count,
        batch_size=of.batch_size,
        temperature=of.temperature,
        top_k=of.top_k,
    )


def reference(config: Config, experiment: str) -> ReferenceSettings:
    of = config.experiments[experiment].evaluation
    return ReferenceSettings(
        reference=of.reference,
        extractor=extractor(config, experiment),
        batch_size=of.batch_size,
    )


def features(config: Config, experiment: str) -> FeaturesSettings:
    return FeaturesSettings(
        extractor=extractor(config, experiment),
        batch_size=config.experiments[experiment].evaluation.batch_size,
    )


def distance() -> DistanceSettings:
    return DistanceSettings()


def methods(config: Config, experiment: str) -> tuple[str, ...]:
    """The methods in an experiment's figures: the rows of the first table that shows it.

    All methods when no table does. So a table brings its figures and trains nothing beside them.
    """
    tables = (of for of in config.tables.values() if experiment in of.columns)
    return next((of.rows for of in tables), tuple(config.methods))


def grid(config: Config, experiment: str) -> GridSettings:
    names = methods(config, experiment)
    return GridSettings(labels=tuple(config.methods[name].label for name in names))


def curves(config: Config, experiment: str) -> CurvesSettings:
    return CurvesSettings(
        title=experiment,
        grids=config.experiments[experiment].grids,
        labels=grid(config, experiment).labels,
    )


def table(config: Config, name: str) -> TableSettings:
    of = config.tables[name]
    return TableSettings(
        title=of.title,
        headings=tuple(of.columns.values()),
        labels=tuple(config.methods[row].label for row in of.rows),
        paper=tuple(of.paper.get(row) for row in of.rows),
    )


def check_target(config: Config, target: str) -> None:
    """Raises `ConfigError` when a wanted file names what the configuration doesn't hold.

    Says nothing about a name that can't be a stage's output: a rule, an option, another file.
    """
    path = Path(target)
    if path.suffix not in SUFFIXES or not path.is_relative_to(config.results):
        return
    folder, *rest = path.relative_to(config.results).parts
    if folder in ("tables", "figures"):
        stem = Path(*rest).stem
        known = list(config.tables) if folder == "tables" else list(config.experiments)
        name = stem.partition("-")[2] if folder == "figures" else stem
        _refuse_unknown(target, "table" if folder == "tables" else "experiment", name, known)
    elif folder not in RESERVED and rest:
        _refuse_unknown(target, "experiment", folder, list(config.experiments))
        if len(rest) > 1:
            _refuse_unknown(target, "method", rest[0], list(config.methods))


def _refuse_unknown(target: str, what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise ConfigError(f"{target}: no {what} is named '{name}'{nearest(name, known)}")
