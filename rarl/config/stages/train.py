"""Settings of the stages that train models."""

from typing import Literal, Self

from rarl.config import (
    Config,
    Count,
    CountOrZero,
    Critic,
    Discriminative,
    Finetuning,
    Limit,
    PixelCritic,
    Positive,
    Precision,
    Prior,
    ProjectedCritic,
    Rl,
    Settings,
    Vqvae,
)
from rarl.config.stages.features import ExtractorSettings
from rarl.kinds import OBJECTIVES, PRIORS, SAMPLERS, TOKENIZER_LOSSES


class SampledPriors(Settings):
    """Of a stage that samples priors, which it loads from files."""

    prior_kinds: tuple[str, ...]  # of the levels' priors

    @property
    def kinds(self) -> tuple[str, ...]:
        networks, samplers = (
            tuple(registry[kind] for kind in self.prior_kinds) for registry in (PRIORS, SAMPLERS)
        )
        return networks + samplers


class VqvaeSettings(Settings):
    seed: CountOrZero
    latents: tuple[Count, ...]
    vqvae: Vqvae
    precision: Precision
    limits: dict[str, Limit]  # of logged metrics, as below

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(
            module for name, module in TOKENIZER_LOSSES.items() if getattr(self.vqvae, name)
        )

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment]
        return cls(
            seed=of.seed,
            latents=of.latents,
            vqvae=of.vqvae,
            precision=of.precision,
            limits=of.limits.of("codes_in_use"),
        )


class PriorSettings(Settings):
    seed: CountOrZero
    grid: CountOrZero  # 0 is the coarsest
    prior: Prior
    precision: Precision

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.prior.kinds

    @classmethod
    def from_config(cls, config: Config, experiment: str, grid: str) -> Self:
        of = config.experiments[experiment]
        return cls(
            seed=of.seed,
            grid=of.grids.index(grid),
            prior=of.prior.of(grid),
            precision=of.precision,
        )

    @classmethod
    def of_oracle(cls, config: Config, experiment: str) -> Self:
        """The oracle is a prior like any other, of the codes that `oracle.of` names."""
        of = config.experiments[experiment]
        assert of.oracle is not None  # by the rules
        prior = of.prior.overlaid(of.oracle.prior, "oracle.prior")
        return cls(seed=of.seed, grid=0, prior=prior, precision=of.precision)


class FinetuneSettings(SampledPriors):
    seed: CountOrZero
    flip: bool  # train on the codes of mirrored images, too
    objective: Literal["mle", "reinforce", "discriminative"]
    rl: Rl | Discriminative | Finetuning  # the class of the objective
    rows: tuple[Count, ...]  # that a rollout samples of each level; for `mle` all
    temperature: Positive
    top_k: CountOrZero
    precision: Precision
    limits: dict[str, Limit]
    extractor: ExtractorSettings | None  # None for an oracle experiment, which has its oracle

    source_sha256: str | None  # of the file of a user's code that the reward runs

    @property
    def kinds(self) -> tuple[str, ...]:
        measured = self.extractor.kinds if self.extractor else ()
        rewarded = self.rl.rewarded.kinds if self.rl.rewarded else ()
        return (*super().kinds, OBJECTIVES[self.objective], *rewarded, *measured)

    @classmethod
    def from_config(cls, config: Config, experiment: str, method: str) -> Self:
        of, rl = config.experiments[experiment], config.finetuning(experiment, method)
        reward = rl.rewarded
        limited = ("entropy", "kl", *reward.limits) if reward else ()
        return cls(
            prior_kinds=of.prior_kinds + ((of.oracle_kind,) if of.oracle else ()),
            seed=of.seed,
            flip=of.prior.flip,
            objective=config.finetuned[method].objective,
            rl=rl,
            rows=rollout_rows(config, experiment, method),
            temperature=of.sampling.temperature,
            top_k=of.sampling.top_k,
            precision=of.precision,
            limits=of.limits.of(*limited),
            extractor=None if of.oracle else ExtractorSettings.from_config(config, experiment),
            source_sha256=reward.source_sha256() if reward else None,
        )


class CriticTraining(SampledPriors):
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

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*super().kinds, *self.critic.kinds)

    @classmethod
    def from_config(cls, config: Config, experiment: str, method: str) -> Self:
        """As many steps as an RL run gives its critic."""
        of, rl = config.experiments[experiment], config.finetuning(experiment, method)
        critic = rl.rewarded
        assert isinstance(critic, PixelCritic | ProjectedCritic)  # by the rules
        return cls(
            prior_kinds=of.prior_kinds,
            seed=of.seed,
            flip=of.prior.flip,
            critic=critic,
            steps=critic.warmup_steps + rl.iterations * critic.steps,
            temperature=of.sampling.temperature,
            top_k=of.sampling.top_k,
            precision=of.precision,
            log_every=rl.log_every,
            limits=of.limits.of(*critic.limits),
        )


def rollout_rows(config: Config, experiment: str, method: str) -> tuple[int, ...]:
    """Rows of each level that a rollout samples, coarse to fine; for `mle` all."""
    of, rl = config.experiments[experiment], config.finetuning(experiment, method)
    return rl.part.rows(of.latents) if isinstance(rl, Rl) else of.latents


def needs_moments(config: Config, experiment: str, method: str) -> bool:
    """Whether a method's reward needs the moments of real images' features."""
    reward = config.finetuning(experiment, method).rewarded
    return reward is not None and reward.reference is not None


def needs_decoder(config: Config, experiment: str, method: str) -> bool:
    """Whether fine-tuning decodes: to compare images, or to show them to the reward."""
    of, reward = config.experiments[experiment], config.finetuning(experiment, method).rewarded
    return of.oracle is None or (reward is not None and of.shows_images(reward))
