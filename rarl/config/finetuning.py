"""Fine-tuning a prior, by more maximum likelihood or by a reward."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rarl.config.errors import require
from rarl.config.fields import Count, Fraction, NotNegative, Positive, Settings, Share
from rarl.config.overlay import overlay
from rarl.config.rewards import (
    Credit,
    CreditKind,
    Credits,
    Critic,
    Frechet,
    IntermediateCredit,
    Reward,
    RewardKind,
    Rewards,
)


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


class PolicyGradient(Finetuning):
    """What all kinds of reward and credit share."""

    part: Part
    rollouts_per_context: Count  # of one real picture's context, compared with each other
    start_temperature: Positive  # of the MLE prior, as the start and as the anchor of the KL
    kl_weight: NotNegative  # of KL(policy || where it started), per code
    mle_weight: NotNegative  # of the NLL of real codes beside the reward, per code

    @model_validator(mode="after")
    def _contexts_fit(self) -> Self:
        group = self.rollouts_per_context
        if self.batch_size % group:
            raise ValueError(
                f"batch_size={self.batch_size} is not divisible by rollouts_per_context={group}"
            )
        return self


class Rl(PolicyGradient):
    """What one method reads: its own kinds' settings, none of the other kinds."""

    reward: Reward
    credit: Credit

    @model_validator(mode="after")
    def _kinds_fit(self) -> Self:
        match self.reward:
            case Frechet() if self.part != Part(single=1, top=1, bottom=1):
                raise ValueError("reward: frechet compares whole pictures, so part must be 1.0")
            case Critic() as critic if critic.batch_size > self.batch_size:
                raise ValueError(
                    f"reward.batch_size={critic.batch_size} of the critic is more than the "
                    f"batch_size={self.batch_size} rollouts that it is a part of"
                )
            case Critic(map_size=0) if isinstance(self.credit, IntermediateCredit):
                raise ValueError("credit: intermediate needs reward.map_size above 0")
        return self


class ExperimentRl(PolicyGradient):
    """The values of every kind in an experiment, and the kinds of a method that names none."""

    reward: RewardKind
    credit: CreditKind
    rewards: Rewards
    credits: Credits

    @model_validator(mode="before")
    @classmethod
    def _new_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            refuse_old_keys(values, IN_EXPERIMENT)
            for choice, section in (("reward", "rewards"), ("credit", "credits")):
                chosen = values.get(choice)
                for key in chosen if isinstance(chosen, Mapping) else ():
                    if key != "kind":
                        raise ValueError(f"{choice}.{key} belongs below its kind in rl.{section}")
        return values

    def chosen(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an `Rl`: these, overlaid by a method's own.

        The keys beside a method's `kind` overlay the values of that kind. Raises ValueError.
        """
        merged = overlay(self.model_dump(exclude={"rewards", "credits"}), own)
        merged["reward"] = _of_its_kind(self.rewards, merged["reward"], "reward")
        merged["credit"] = _of_its_kind(self.credits, merged["credit"], "credit")
        return merged


def _of_its_kind(section: Rewards | Credits, choice: Any, key: str) -> dict[str, Any]:
    """The values of the kind that is chosen, overlaid by the keys beside it."""
    kinds = type(section).model_fields
    if not isinstance(choice, Mapping):
        raise ValueError(f"rl.{key}: must be a mapping such as {{kind: {next(iter(kinds))}}}")
    kind = str(choice["kind"])
    require(kind, kinds, f"rl.{key}.kind", f"kind of {key}")
    for name in choice:
        owners = [other for other in kinds if name in type(getattr(section, other)).model_fields]
        if owners and kind not in owners:
            raise ValueError(f"rl.{key}.{name}: is a setting of kind {owners[0]}, not of {kind}")
    return overlay(getattr(section, kind).model_dump(), choice)


# Keys of former versions, and where their values stand now.
IN_EXPERIMENT = {
    "source": "reward: {kind: critic} or {kind: frechet}",
    "critic": "rewards.critic",
    "frechet": "rewards.frechet",
    "discount": "credits.intermediate.discount",
    "whole_weight": "credits.intermediate.whole_weight",
}
IN_METHOD = {
    "source": "reward: {kind: critic} or {kind: frechet}",
    "critic": "reward, beside kind: critic",
    "frechet": "reward, beside kind: frechet",
    "discount": "credit, beside kind: intermediate",
    "whole_weight": "credit, beside kind: intermediate",
}


def refuse_old_keys(rl: Mapping[str, Any], moved: Mapping[str, str]) -> None:
    """Raises ValueError that names the new key."""
    for key, now in moved.items():
        if key in rl:
            raise ValueError(f"{key} is now rl.{now}")
    if rl.get("reward") in tuple(Credits.model_fields):
        raise ValueError(f"reward: {rl['reward']} is now rl.credit: {{kind: {rl['reward']}}}")
