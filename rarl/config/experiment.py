"""An experiment: one data set at one size, its models, their training and evaluation."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rarl.config.fields import (
    Count,
    CountOrZero,
    ExtractorName,
    Positive,
    Precision,
    Real,
    Settings,
)
from rarl.config.finetuning import ExperimentRl, Finetuning, PolicyGradient
from rarl.config.models import SINGLE, Priors, Vqvae
from rarl.config.rewards import RewardSettings


class Sampling(Settings):
    count: Annotated[int, Field(ge=2)]  # images for each seed
    seeds: Annotated[tuple[CountOrZero, ...], Field(min_length=1)]
    batch_size: Count
    temperature: Positive
    top_k: CountOrZero  # 0: all codes
    shards: Count  # jobs that share a seed's images; changes no image

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds {list(self.seeds)} holds one twice")
        if self.shards > self._batches:
            raise ValueError(f"shards={self.shards} are more than the {self._batches} batches")
        return self

    @property
    def _batches(self) -> int:
        return -(-self.count // self.batch_size)

    def images(self, shard: int) -> range:
        """Those of a seed that a shard draws: whole batches, as one job would draw them."""
        first, end = (n * self._batches // self.shards for n in (shard, shard + 1))
        return range(first * self.batch_size, min(end * self.batch_size, self.count))


class Evaluation(Settings):
    # The first is that of NAME.csv, of model selection and of quality. Not strict, as a list behind
    # a validator of the whole is no JSON any more.
    extractors: Annotated[tuple[ExtractorName, ...], Field(min_length=1, strict=False)]
    weights: dict[ExtractorName, str] | None  # files of weights; null: where packages put them
    reference: Literal["reconstructions", "images"]  # of the training images
    held_out: Count  # training images that the reference leaves out, to stand in samples' place
    real_count: Count  # reconstructions beside which precision, recall and KID put the samples
    neighbours: Count  # k of precision and recall
    near_quantile: Annotated[Real, Field(gt=0, lt=1)]  # of held-out images: near a training image
    near_confidence: Annotated[Real, Field(gt=0, lt=1)]  # of the interval of the share of samples
    extrapolation: bool  # of distances to infinitely many samples, too
    kid_subsets: Count
    kid_subset_size: Annotated[int, Field(ge=2)]  # images; an unbiased MMD needs two
    batch_size: Count

    @model_validator(mode="before")
    @classmethod
    def _new_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "extractor" in values:
            raise ValueError(
                f"extractor is now extractors, a list: [{values['extractor']}]; weights is a "
                "mapping by extractor, or null"
            )
        return values

    @model_validator(mode="after")
    def _extractors_hold(self) -> Self:
        if len(set(self.extractors)) < len(self.extractors):
            raise ValueError(f"extractors {list(self.extractors)} holds one twice")
        for name in self.weights or ():
            if name not in self.extractors:
                raise ValueError(f"weights.{name}: is none of extractors {list(self.extractors)}")
        return self

    def refuse(self, key: str, extractor: str) -> None:
        """Raises ValueError where a network that trains is one that measures."""
        if extractor in self.extractors:
            raise ValueError(
                f"{key}={extractor} is a network of evaluation.extractors, which would measure "
                "what it trained; choose another"
            )


class Gpus(Settings):
    """Processes that share every batch of a stage, one a GPU; without GPUs, on the CPU's cores."""

    vqvae: Count
    prior: Count
    rl: Count  # fine-tuning, and the critic of rejection


class Threads(Settings):
    """CPU threads of each process of a stage; another number gives other last bits."""

    vqvae: Count  # of the stage vqvae
    prior: Count  # of the stage prior
    rl: Count  # fine-tuning, and the critic of rejection


class Oracle(Settings):
    """A prior trained on the real codes, whose samples take the place of the data.

    The true distribution is then known, and with it the NLL of what a method draws.
    """

    of: str  # the experiment whose codes it learns
    critic_input: Literal["codes", "images"]  # what a critic sees: one-hot codes, or decoded images
    prior: dict[str, Any]  # overlays the experiment's
    train: Count  # grids drawn to train on
    val: Count


class Limit(Settings):
    """What a logged figure must not pass; null: nothing on that side."""

    least: Real | None
    most: Real | None
    action: Literal["stop", "warn"]  # warn: the tables with this run say so


class Limits(Settings):
    """Signs that a run has gone wrong though all its numbers are finite."""

    codes_in_use: Limit  # share of the codebook: it has collapsed
    entropy: Limit  # of the policy, nats a code: it has collapsed
    kl: Limit  # of the policy to where it started, nats an image: it has run away
    wasserstein: Limit  # gap of the critic's mean scores: it has diverged

    def of(self, *figures: str) -> dict[str, Limit]:
        """The limits of some figures, by their names in the log."""
        return {name: getattr(self, name) for name in figures}


class Experiment(Settings):
    """One data set at one size with one set of models; complete after overlaying `defaults`."""

    seed: CountOrZero
    dataset: str
    precision: Precision  # in which networks train and methods draw; all else is in float32
    image_size: Count
    latents: Annotated[tuple[Count, ...], Field(min_length=1, max_length=2)]  # sides, coarse first
    vqvae: Vqvae
    prior: Priors
    rl: ExperimentRl
    sampling: Sampling
    evaluation: Evaluation
    limits: Limits
    gpus: Gpus
    threads: Threads
    oracle: Oracle | None

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        factor = 2**self.vqvae.layers
        finest = self.latents[-1]
        if self.image_size != finest * factor:
            raise ValueError(
                f"image_size={self.image_size} / 2**(vqvae.layers={self.vqvae.layers}) is "
                f"{self.image_size / factor:g}, but the finest grid in latents is {finest}"
            )
        for coarse, fine in pairwise(self.latents):
            if fine != 2 * coarse:
                raise ValueError(
                    f"latents={list(self.latents)}: a grid has half the side of the next finer "
                    f"one, so {fine // 2} goes before {fine}"
                )
        for grid in (SINGLE, "top", "bottom"):
            self.prior.of(grid)
        if self.sampling.shards > 1 and self.sampling.batch_size % self.evaluation.batch_size:
            raise ValueError(
                f"sampling.batch_size={self.sampling.batch_size} is not divisible by "
                f"evaluation.batch_size={self.evaluation.batch_size}, so that shards would cut a "
                "batch of features in two and change the last digits"
            )
        if self.precision != "float32" and self.sampling.top_k:
            raise ValueError(
                f"sampling.top_k={self.sampling.top_k} with precision: {self.precision}: the codes "
                "among the first k would be others when drawn and when scored"
            )
        if self.oracle is not None:
            if len(self.latents) > 1:
                raise ValueError("oracle: is for one grid of codes")
            if self.prior.flip:
                raise ValueError("oracle: has no mirrored codes, so prior.flip must be false")
            self.prior.overlaid(self.oracle.prior, "oracle.prior")
        return self

    @model_validator(mode="after")
    def _tokenizer_losses_fit(self) -> Self:
        perceptual, adversarial = self.vqvae.perceptual, self.vqvae.adversarial
        if perceptual:
            self.evaluation.refuse("vqvae.perceptual.extractor", perceptual.extractor)
        if adversarial and self.image_size >> adversarial.layers < 3:
            raise ValueError(
                f"vqvae.adversarial.layers={adversarial.layers} leave nothing of "
                f"image_size={self.image_size} to score; lower them"
            )
        return self

    @model_validator(mode="after")
    def _batches_divide(self) -> Self:
        prior = {f"prior, {grid}": self.prior.of(grid).batch_size for grid in self.grids}
        self._divide("vqvae", {"vqvae": self.vqvae.batch_size})
        self._divide("prior", prior)
        self.check_batches(self.rl)
        return self

    def check_batches(self, rl: Finetuning) -> None:
        """Raises ValueError when the processes of fine-tuning cannot share its batches."""
        batches = {"rl": rl.batch_size}
        if isinstance(rl, PolicyGradient):
            batches = {"rl, contexts": rl.batch_size // rl.rollouts_per_context}
        if rl.rewarded is not None and rl.rewarded.batch is not None:
            batches["rl.reward, critic"] = rl.rewarded.batch
        self._divide("rl", batches)

    @property
    def prior_kinds(self) -> tuple[str, ...]:
        """Of the levels' priors, each once."""
        return tuple(sorted({self.prior.of(level).kind for level in self.grids}))

    @property
    def oracle_kind(self) -> str:
        """Of the oracle's prior, where there is one."""
        own = self.oracle.prior if self.oracle else {}
        return self.prior.overlaid(own, "oracle.prior").kind

    def shows_images(self, reward: RewardSettings) -> bool:
        """Whether a reward is shown decoded images; else the codes of an oracle, one-hot."""
        return self.oracle is None or self.oracle.critic_input == "images" or reward.images

    def _divide(self, key: str, batches: dict[str, int]) -> None:
        gpus = getattr(self.gpus, key)
        for name, size in batches.items():
            if size % gpus:
                raise ValueError(f"gpus.{key}={gpus} do not divide a batch of {size} ({name})")

    @property
    def grids(self) -> tuple[str, ...]:
        """Names of the code grids, coarse to fine, as in the paper."""
        return (SINGLE,) if len(self.latents) == 1 else ("top", "bottom")
