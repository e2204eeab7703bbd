"""Fine-tuning a prior, by more maximum likelihood or by a reward."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rarl.config.fields import (
    Count,
    CountOrZero,
    EvenOrOne,
    ExtractorName,
    Fraction,
    NotNegative,
    Positive,
    Real,
    Settings,
    Share,
)


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
    evaluate_samples: Annotated[int, Field(ge=2)]  # behind the held-out metric
    selection: Literal["best", "last"]  # of the iteration kept: lowest held-out metric, or the last


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
    start_temperature: Positive  # of the MLE prior, as the start and as the anchor of the KL
    kl_weight: NotNegative  # of KL(policy || where it started), per code
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
