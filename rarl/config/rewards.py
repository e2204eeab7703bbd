"""The kinds of reward and of credit: each holds its own settings and no others."""

from typing import Annotated, Literal

from pydantic import Field

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
)


class Critic(Settings):
    """The critic and its training: the paper's reward."""

    kind: Literal["critic"] = "critic"  # tells the kinds apart; there is nothing to choose
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

    kind: Literal["frechet"] = "frechet"
    extractor: ExtractorName  # better not that of the evaluation, which would then judge itself
    weights: str | None  # as in the evaluation
    window: Count  # latest rollouts whose distance it is, exponentially weighted
    ridge: Positive  # share of the mean variance that is added in every direction
    refresh_every: Count  # policy steps, before the distance's derivatives are taken anew
    warmup_steps: Count  # batches of rollouts that fill the window before the first policy step


class SingleCredit(Settings):
    """Every code of a picture gets the picture's reward."""

    kind: Literal["single"] = "single"


class IntermediateCredit(Settings):
    """A code gets the rewards of its own patch and of those drawn after it."""

    kind: Literal["intermediate"] = "intermediate"
    discount: Annotated[Real, Field(ge=0, le=1)]  # of later patches' rewards, a code
    whole_weight: Annotated[Real, Field(ge=0, le=1)]  # of the single reward in the intermediate


Reward = Annotated[Critic | Frechet, Field(discriminator="kind")]
Credit = Annotated[SingleCredit | IntermediateCredit, Field(discriminator="kind")]


class Rewards(Settings):
    """The values of every kind of reward in an experiment."""

    critic: Critic
    frechet: Frechet


class Credits(Settings):
    """The values of every kind of credit in an experiment."""

    single: SingleCredit
    intermediate: IntermediateCredit


class RewardKind(Settings):
    kind: Literal["critic", "frechet"]


class CreditKind(Settings):
    kind: Literal["single", "intermediate"]
