"""Fine-tuning a prior, by more maximum likelihood or by a reward."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from rarl.config.credits import Credit, CreditKind, Credits, IntermediateCredit
from rarl.config.errors import require
from rarl.config.fields import Count, Fraction, NotNegative, Positive, Settings, Share
from rarl.config.overlay import overlay
from rarl.config.rewards import Critics, Reward, RewardKind, Rewards, RewardSettings


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

    @property
    def rewarded(self) -> RewardSettings | None:
        """The reward, where there is one."""
        return None


class Discriminative(Finetuning):
    """Direct discriminative optimisation (Zheng et al. 2025, arXiv 2503.01103).

    The log of the prior's likelihood ratio to a frozen reference is the logit of a discriminator of
    real codes and of samples of the reference.
    """

    alpha: Positive  # weight of the samples beside the real codes
    beta: Positive  # times the log of the ratio: the logit; of the size of 1 / its deviation
    pool: Count  # samples of the reference, taken once a round
    rounds: Count  # of equal lengths; the best weights so far are the reference of the next one

    @model_validator(mode="after")
    def _rounds_and_pools_fit(self) -> Self:
        if self.iterations % self.rounds:
            raise ValueError(f"iterations={self.iterations} are not rounds={self.rounds} alike")
        if self.pool < self.batch_size:
            raise ValueError(f"pool={self.pool} is less than batch_size={self.batch_size}")
        return self


class Part(Settings):
    """The share of each level's rows that a rollout samples; below 1: partial generation."""

    single: Share
    top: Share
    bottom: Share

    def rows(self, sides: Sequence[int]) -> tuple[int, ...]:
        """Rows sampled of each level, coarse to fine. Raises ValueError when they don't fit.

        Levels stay aligned, and a finer level's part lies within the coarser one's.
        """
        shares = (self.single,) if len(sides) == 1 else (self.top, self.bottom)
        rows: list[int] = []
        for level, (share, side) in enumerate(zip(shares, sides, strict=True)):
            count, unit = share * side, 2**level  # a row of the coarsest level is `unit` rows
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
    rollouts_per_context: Count  # of one real image's context, compared with each other
    start_temperature: Positive  # of the MLE prior, at the start and as the reference policy
    kl_weight: NotNegative  # of KL(policy || reference policy), per code
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

    @property
    def rewarded(self) -> RewardSettings:
        return self.reward

    @model_validator(mode="after")
    def _kinds_fit(self) -> Self:
        reward = self.reward
        if not reward.parts and self.part != Part(single=1, top=1, bottom=1):
            raise ValueError(f"reward: {reward.kind} compares whole images, so part must be 1.0")
        if reward.batch is not None and reward.batch > self.batch_size:
            raise ValueError(
                f"reward.batch_size={reward.batch} of the {reward.kind} is more than the "
                f"batch_size={self.batch_size} rollouts that it is a part of"
            )
        if isinstance(self.credit, IntermediateCredit):
            reward.check_map()
        return self


BY_OBJECTIVE: dict[str, type[Finetuning]] = {  # what each objective reads
    "mle": Finetuning,
    "tempered": Finetuning,
    "discriminative": Discriminative,
    "reinforce": Rl,
    "rejection": Rl,
}


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
                    if key not in ("kind", "network"):
                        raise ValueError(f"{choice}.{key} belongs below its kind in rl.{section}")
        return values

    def chosen(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an `Rl`: these, overlaid by a method's own.

        The keys beside a method's `kind` overlay the values of that kind. Raises ValueError.
        """
        merged = overlay(self.model_dump(exclude={"rewards", "credits"}), own)
        for key, sections in (("reward", self.rewards), ("credit", self.credits)):
            choice = own.get(key, {})
            if not isinstance(choice, Mapping):
                example = f"{{kind: {next(iter(type(sections).model_fields))}}}"
                raise ValueError(f"rl.{key}: must be a mapping such as {example}")
            shared: RewardKind | CreditKind = getattr(self, key)
            merged[key] = _of_its_kind(sections, "kind", f"rl.{key}", shared.beside(choice))
        return merged


def _of_its_kind(
    sections: Settings, by: str, where: str, choice: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of the kind that the key `by` chooses, overlaid by the keys beside it."""
    kinds = {name: _fields(field.annotation) for name, field in type(sections).model_fields.items()}
    name = str(choice.get(by))
    require(name, kinds, f"{where}.{by}", f"{by} of {where.rpartition('.')[2]}")
    for key in choice:
        owners = [other for other, fields in kinds.items() if key in fields]
        if owners and name not in owners:
            raise ValueError(f"{where}.{key}: is a setting of {by} {owners[0]}, not of {name}")
    section = getattr(sections, name)
    if isinstance(section, Critics):
        return _of_its_kind(section, "network", where, choice)
    return overlay({} if section is None else section.model_dump(), choice)


def _fields(annotation: Any) -> set[str]:
    """The settings of a section of values, of all networks where it is of critics."""
    if annotation is Critics:
        return set().union(*(_fields(of.annotation) for of in Critics.model_fields.values()))
    models = [of for of in (annotation, *get_args(annotation)) if hasattr(of, "model_fields")]
    return set().union(*(of.model_fields for of in models))


# Keys of former versions, and where their values stand now.
IN_EXPERIMENT = {
    "source": "reward: {kind: critic} or {kind: frechet}",
    "critic": "rewards.critic.pixel",
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
