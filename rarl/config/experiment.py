"""An experiment: one data set at one size, its models, their training and evaluation."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rarl.config.faults import one_line
from rarl.config.fields import (
    Count,
    CountOrZero,
    EvenOrOne,
    ExtractorName,
    Fraction,
    NotNegative,
    OddFilter,
    Positive,
    Real,
    Settings,
    Share,
)
from rarl.config.overlaying import overlay

SINGLE = "single"  # the grid of an experiment that has but one


class Vqvae(Settings):
    """Names as in the paper's Tables 4-10; the codebook learns by moving averages."""

    hidden_units: Count
    residual_units: Count
    residual_blocks: CountOrZero  # after the last stride-2 stage, in encoder and decoder
    layers: Count  # stride-2 stages: image_size / 2**layers is the finest grid
    codebook_size: Annotated[int, Field(ge=2, le=32767)]  # codes are stored as int16
    codebook_dim: Count
    beta: NotNegative  # weight of the commitment loss
    encoder_filter: OddFilter
    decoder_filter: Annotated[int, Field(ge=2, multiple_of=2)]
    codebook_decay: Fraction
    restart_threshold: NotNegative  # a code used less often per batch (moving average) is restarted
    flip: bool  # mirror half of the pictures at random
    batch_size: Count
    steps: Count
    learning_rate: Positive
    log_every: Count
    evaluate_every: Count


class Prior(Settings):
    """The PixelCNN; names as in the paper's tables."""

    filter_size: Annotated[OddFilter, Field(ge=3)]
    hidden_units: Count
    residual_units: Count
    layers: Count
    attention_layers: CountOrZero  # spread evenly over the layers
    attention_heads: Count
    output_stack_layers: CountOrZero
    conditioning_stack_layers: CountOrZero  # over the coarser grid, where there is one
    dropout: Fraction
    flip: bool  # train on the codes of mirrored pictures, too
    batch_size: Count
    steps: Count
    learning_rate: Positive  # at the start
    schedule: Literal["constant", "cosine"]  # of the learning rate; cosine: down to 0
    gradient_clip: Positive
    ema_decay: Fraction  # of the weights that are evaluated, sampled and saved
    log_every: Count
    evaluate_every: Count

    @model_validator(mode="after")
    def _attention_fits(self) -> Self:
        if self.attention_layers > self.layers:
            raise ValueError(
                f"attention_layers={self.attention_layers} is more than layers={self.layers}"
            )
        if self.attention_layers and self.hidden_units % self.attention_heads:
            raise ValueError(
                f"hidden_units={self.hidden_units} is not divisible by "
                f"attention_heads={self.attention_heads}"
            )
        return self


class Priors(Prior):
    """What the priors of an experiment share, and what overlays it when it has two grids."""

    top: dict[str, Any]
    bottom: dict[str, Any]

    def of(self, grid: str) -> Prior:
        """The prior of a grid: `single`, `top` or `bottom`. Raises ValueError."""
        return self.overlaid({} if grid == SINGLE else getattr(self, grid), f"prior.{grid}")

    def overlaid(self, own: dict[str, Any], where: str) -> Prior:
        """What is shared, overlaid by the keys that stand at `where`. Raises ValueError."""
        merged = overlay(self.model_dump(exclude={"top", "bottom"}), own)
        try:
            return Prior.model_validate_json(json.dumps(merged))
        except ValidationError as error:
            raise ValueError(one_line(error, Prior, where)) from None


class Critic(Settings):
    """The critic and its training."""

    loss: Literal["wasserstein", "logistic"]  # with the gradient penalty of WGAN-GP, or R1

    stem_stride: EvenOrOne  # of the first convolution
    hidden_units: Count  # channels after it; doubled by each further stage
    max_units: Count  # channels never exceed it
    final_size: Count  # stride-2 stages follow until the features have this width, or less
    map_size: CountOrZero  # width of the features that are scored patch by patch; 0: no such score
    batch_size: Count  # pictures of each kind in a critic step
    steps: Count  # critic steps for each policy step
    warmup_steps: CountOrZero  # critic steps before the first policy step
    learning_rate: Positive
    gradient_penalty: NotNegative
    penalty_every: Count  # critic steps; the penalty then counts as many times
    ema_decay: Fraction  # of the critic's weights that give the reward; 0: the newest

    def check(self, height: int, width: int) -> None:
        """Raises ValueError when what the critic sees, in pixels, is too small for its stages."""
        shown = f"{height}x{width}"
        height, width = height // self.stem_stride, width // self.stem_stride
        widths = []
        while width > self.final_size:
            widths.append(width)
            height, width = height // 2, width // 2
        if not height or not width:
            raise ValueError(
                f"critic: stem_stride={self.stem_stride} and the stages down to final_size="
                f"{self.final_size} leave nothing of {shown}; lower the first or raise the second"
            )
        if self.map_size and self.map_size not in widths:
            raise ValueError(
                f"critic.map_size={self.map_size} is none of the widths before final_size, {widths}"
            )


class Frechet(Settings):
    """The reward by what a rollout takes off the distance of all rollouts to the reference."""

    extractor: ExtractorName  # better not that of the evaluation, which would then judge itself
    weights: str | None  # as in the evaluation
    window: Count  # latest rollouts whose distance it is, exponentially weighted
    ridge: Positive  # share of the mean variance that is added in every direction
    refresh_every: Count  # policy steps, before the distance's derivatives are taken anew
    warmup_steps: Count  # batches of rollouts that fill the window before the first policy step


class Finetuning(Settings):
    """What every method of fine-tuning shares, so that the comparison is fair."""

    iterations: Count
    batch_size: Annotated[
        int, Field(ge=2)
    ]  # rollouts (RL) or code grids (MLE) for each policy step
    learning_rate: Positive
    gradient_clip: Positive
    ema_decay: Fraction  # of the weights that are evaluated and saved
    log_every: Count
    evaluate_every: Count
    evaluate_samples: Annotated[int, Field(ge=2)]  # behind the distance that picks the checkpoint


class Part(Settings):
    """The share of each grid's rows that a rollout draws; 1: all. Below 1, partial generation."""

    single: Share
    top: Share
    bottom: Share

    def rows(self, sides: Sequence[int]) -> tuple[int, ...]:
        """Rows drawn of each grid, coarse to fine. Raises ValueError when they don't fit.

        Grids stay aligned, and a finer grid's part lies within the coarser one's.
        """
        shares = (self.single,) if len(sides) == 1 else (self.top, self.bottom)
        rows: list[int] = []
        for grid, (share, side) in enumerate(zip(shares, sides, strict=True)):
            count, unit = share * side, 2**grid  # a row of the coarsest grid is `unit` rows
            if count % unit:
                raise ValueError(
                    f"part: {share:g} of {side} rows is {count:g}, but must be a multiple of {unit}"
                )
            if rows and count > 2 * rows[-1]:
                raise ValueError("part: bottom is more than top, within which it must lie")
            rows.append(int(count))
        return tuple(rows)


class Rl(Finetuning):
    """Fine-tuning by reinforcement; `objective: mle` uses only what it shares."""

    part: Part
    rollouts_per_context: Count  # of one real picture's context, compared with each other
    source: Literal["critic", "frechet"]  # of the reward; the second is not in the paper
    reward: Literal["single", "intermediate"]  # of the picture, or of each of its patches
    discount: Annotated[Real, Field(ge=0, le=1)]  # of later patches' rewards, a code
    whole_weight: Annotated[Real, Field(ge=0, le=1)]  # of the single reward in the intermediate
    kl_weight: NotNegative  # of KL(policy || MLE prior), per code
    mle_weight: NotNegative  # of the NLL of real codes beside the reward, per code
    critic: Critic
    frechet: Frechet | None  # read with that source alone

    @model_validator(mode="after")
    def _fits(self) -> Self:
        group = self.rollouts_per_context
        if self.batch_size % group:
            raise ValueError(
                f"batch_size={self.batch_size} is not divisible by rollouts_per_context={group}"
            )
        if self.critic.batch_size > self.batch_size:
            raise ValueError(
                f"critic.batch_size={self.critic.batch_size} is more than the batch_size="
                f"{self.batch_size} rollouts that it is a part of"
            )
        if self.source == "frechet":
            if self.frechet is None:
                raise ValueError("source: frechet needs the settings under frechet")
            if self.part != Part(single=1, top=1, bottom=1):
                raise ValueError("source: frechet compares whole pictures, so part must be 1.0")
        elif self.reward == "intermediate" and not self.critic.map_size:
            raise ValueError("reward: intermediate needs critic.map_size above 0")
        return self


class Sampling(Settings):
    count: Annotated[int, Field(ge=2)]  # pictures for each seed
    seeds: Annotated[tuple[CountOrZero, ...], Field(min_length=1)]
    batch_size: Count
    temperature: Positive
    top_k: CountOrZero  # 0: all codes
    shards: Count  # jobs that share a seed's pictures; changes no picture

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

    def pictures(self, shard: int) -> range:
        """Those of a seed that a shard draws: whole batches, as one job would draw them."""
        first, end = (n * self._batches // self.shards for n in (shard, shard + 1))
        return range(first * self.batch_size, min(end * self.batch_size, self.count))


class Evaluation(Settings):
    extractor: ExtractorName
    weights: str | None  # file of the extractor's weights; null: where its package puts it
    reference: Literal["reconstructions", "images"]  # of the training pictures
    real_count: Count  # reconstructions beside which precision, recall and KID put the samples
    neighbours: Count  # k of precision and recall
    kid_subsets: Count
    kid_subset_size: Count  # pictures
    batch_size: Count


class Gpus(Settings):
    """Processes that share every batch of a stage, one a GPU; without GPUs, on the CPU's cores."""

    vqvae: Count
    prior: Count
    rl: Count  # fine-tuning, and the critic of rejection


class Oracle(Settings):
    """A prior trained on the real codes, whose samples take the place of the data.

    The true distribution is then known, and with it the NLL of what a method draws.
    """

    of: str  # the experiment whose codes it learns
    prior: dict[str, Any]  # overlays the experiment's
    train: Count  # grids drawn to train on
    val: Count


class Limit(Settings):
    """What a logged figure must not pass; null: nothing on that side."""

    least: Real | None
    most: Real | None
    action: Literal["stop", "warn"]  # warn: the tables with this run say so

    def fault(self, value: float) -> str | None:
        """What is wrong with a value."""
        if self.least is not None and value < self.least:
            return f"{value:.4g} is below its limit {self.least:g}"
        if self.most is not None and value > self.most:
            return f"{value:.4g} is above its limit {self.most:g}"
        return None


class Limits(Settings):
    """Signs that a run has gone wrong though all its numbers are finite."""

    codes_in_use: Limit  # share of the codebook: it has collapsed
    entropy: Limit  # of the policy, nats a code: it has collapsed
    kl: Limit  # of the policy to the MLE prior, nats a picture: it has run away
    wasserstein: Limit  # gap of the critic's mean scores: it has diverged

    def of(self, *figures: str) -> dict[str, Limit]:
        """The limits of some figures, by their names in the log."""
        return {name: getattr(self, name) for name in figures}


class Experiment(Settings):
    """One data set at one size with one set of models; complete after overlaying `defaults`."""

    seed: CountOrZero
    dataset: str
    image_size: Count
    latents: Annotated[tuple[Count, ...], Field(min_length=1, max_length=2)]  # sides, coarse first
    vqvae: Vqvae
    prior: Priors
    rl: Rl
    sampling: Sampling
    evaluation: Evaluation
    limits: Limits
    gpus: Gpus
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
        if self.oracle is not None:
            if len(self.latents) > 1:
                raise ValueError("oracle: is for one grid of codes")
            if self.prior.flip:
                raise ValueError("oracle: has no mirrored codes, so prior.flip must be false")
            self.prior.overlaid(self.oracle.prior, "oracle.prior")
        return self

    @model_validator(mode="after")
    def _batches_divide(self) -> Self:
        prior = {f"prior, {grid}": self.prior.of(grid).batch_size for grid in self.grids}
        contexts = self.rl.batch_size // self.rl.rollouts_per_context
        for key, batches in (
            ("vqvae", {"vqvae": self.vqvae.batch_size}),
            ("prior", prior),
            ("rl", {"rl, contexts": contexts, "rl.critic": self.rl.critic.batch_size}),
        ):
            gpus = getattr(self.gpus, key)
            for name, size in batches.items():
                if size % gpus:
                    raise ValueError(f"gpus.{key}={gpus} do not divide a batch of {size} ({name})")
        return self

    @property
    def grids(self) -> tuple[str, ...]:
        """Names of the code grids, coarse to fine, as in the paper."""
        return (SINGLE,) if len(self.latents) == 1 else ("top", "bottom")
