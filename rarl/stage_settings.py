"""What each stage is given: the part of the configuration that it may depend on. No torch."""

from typing import Literal, Self

from rarl.config import (
    Count,
    CountOrZero,
    Critic,
    Dataset,
    Evaluation,
    ExtractorName,
    Finetuning,
    Frechet,
    Limit,
    Positive,
    Precision,
    Prior,
    Real,
    Rl,
    Settings,
    Vqvae,
)
from rarl.kinds import DATASETS, EXTRACTORS, OBJECTIVES, REWARDS


class PrepareSettings(Settings):
    dataset: Dataset
    image_size: Count

    @property
    def kinds(self) -> tuple[str, ...]:
        return (DATASETS[self.dataset.kind],)


class VqvaeSettings(Settings):
    seed: CountOrZero
    latents: tuple[Count, ...]
    vqvae: Vqvae
    precision: Precision
    limits: dict[str, Limit]  # of logged figures, as below


class CodesSettings(Settings):
    batch_size: Count
    flip: bool  # encode the mirrored pictures, too: some prior learns them


class PriorSettings(Settings):
    seed: CountOrZero
    grid: CountOrZero  # 0 is the coarsest
    prior: Prior
    precision: Precision


class ExtractorSettings(Settings):
    """How features are computed; part of the protocol behind every distance."""

    name: ExtractorName
    weights: str | None

    @classmethod
    def of(cls, chosen: Evaluation | Frechet) -> Self:
        """Of a part of the configuration that chooses one."""
        return cls(name=chosen.extractor, weights=chosen.weights)

    @property
    def kinds(self) -> tuple[str, ...]:
        return (EXTRACTORS[self.name],)


class FinetuneSettings(Settings):
    seed: CountOrZero
    flip: bool  # train on the codes of mirrored pictures, too
    objective: Literal["mle", "reinforce"]
    rl: Rl | Finetuning  # Finetuning alone for `mle`, which has no reward
    rows: tuple[Count, ...]  # that a rollout draws of each grid; for `mle` all
    temperature: Positive
    top_k: CountOrZero
    precision: Precision
    limits: dict[str, Limit]
    extractor: ExtractorSettings | None  # None for an oracle experiment, judged by its oracle

    @property
    def kinds(self) -> tuple[str, ...]:
        judged = self.extractor.kinds if self.extractor else ()
        if not isinstance(self.rl, Rl):
            return (OBJECTIVES[self.objective], *judged)
        reward = self.rl.reward
        rewarded = (EXTRACTORS[reward.extractor],) if isinstance(reward, Frechet) else ()
        return (OBJECTIVES[self.objective], REWARDS[reward.kind], *rewarded, *judged)


class OracleCodesSettings(Settings):
    seed: CountOrZero
    train: Count
    val: Count
    batch_size: Count


class NllSettings(Settings):
    batch_size: Count


class CriticTraining(Settings):
    """A critic trained beside a prior that stays as it is."""

    seed: CountOrZero
    flip: bool
    critic: Critic
    steps: Count
    temperature: Positive
    top_k: CountOrZero
    precision: Precision
    log_every: Count
    limits: dict[str, Limit]


class DrawSettings(Settings):
    seed: CountOrZero
    first: CountOrZero  # picture of the seed
    count: Count  # pictures
    batch_size: Count
    temperature: Positive
    top_k: CountOrZero
    precision: Precision


class RejectSettings(Settings):
    draw: DrawSettings
    draws: Count  # for each picture that is kept


class FeaturesSettings(Settings):
    extractor: ExtractorSettings
    batch_size: Count

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.extractor.kinds


class DistanceSettings(Settings):
    """Nothing to set: the protocol travels in the moments' files."""


class RealFeaturesSettings(FeaturesSettings):
    count: Count  # reconstructions, or all when there are fewer


class QualitySettings(Settings):
    neighbours: Count
    kid_subsets: Count
    kid_subset_size: Count


class SecondsSettings(Settings):
    """What it takes to draw a batch of rollouts, with weights of any kind."""

    latents: tuple[Count, ...]
    codebook_size: Count
    priors: tuple[Prior, ...]
    rows: tuple[Count, ...]  # that a rollout draws of each grid
    batch_size: Count
    precision: Precision


class ImageGridSettings(Settings):
    labels: tuple[str, ...]  # of the methods, left to right


class SamplesFigureSettings(Settings):
    title: str
    labels: tuple[tuple[str, ...], ...]  # experiments top to bottom, methods left to right


class CurvesSettings(Settings):
    title: str
    grids: tuple[str, ...]  # of the priors, in the order of their metrics
    labels: tuple[str, ...]  # of the methods, likewise


class TimeFigureSettings(Settings):
    title: str
    labels: tuple[str, ...]  # of the methods


class Run(Settings):
    """What is measured: a method in an experiment that was trained with one seed."""

    experiment: str
    method: str
    training_seed: CountOrZero


class Row(Settings):
    """A method."""

    name: str
    label: str


class Column(Settings):
    """An experiment, trained with one seed or several."""

    name: str
    heading: str
    training_seeds: tuple[CountOrZero, ...]


class TableSettings(Settings):
    """Measurements of methods in experiments."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    paper: tuple[tuple[Real | None, ...] | None, ...]  # the paper's values of each row, or none
    notes: tuple[str, ...]  # lines of Markdown: what a reader must know about the methods


class PriorColumn(Settings):
    heading: str
    prior: Prior
    ours: tuple[str, ...]  # its settings that the paper does not give


class ArchitectureSettings(Settings):
    title: str
    image_size: Count
    latents: tuple[Count, ...]
    vqvae: Vqvae
    priors: tuple[PriorColumn, ...]  # coarse to fine, the oracle first


class PageSettings(Settings):
    """Nothing to set."""
