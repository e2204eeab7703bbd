"""Settings of the stages that train models."""

from typing import Literal, Self

from rarl.config import (
    Config,
    Count,
    CountOrZero,
    Critic,
    Finetuning,
    Frechet,
    Limit,
    Positive,
    Precision,
    Prior,
    Rl,
    Settings,
    Vqvae,
)
from rarl.config.stages.features import ExtractorSettings
from rarl.kinds import EXTRACTORS, OBJECTIVES, REWARDS, TOKENIZER_LOSSES


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


class FinetuneSettings(Settings):
    seed: CountOrZero
    flip: bool  # train on the codes of mirrored images, too
    objective: Literal["mle", "reinforce"]
    rl: Rl | Finetuning  # Finetuning alone for `mle`, which has no reward
    rows: tuple[Count, ...]  # that a rollout samples of each grid; for `mle` all
    temperature: Positive
    top_k: CountOrZero
    precision: Precision
    limits: dict[str, Limit]
    extractor: ExtractorSettings | None  # None for an oracle experiment, which has its oracle

    @property
    def kinds(self) -> tuple[str, ...]:
        judged = self.extractor.kinds if self.extractor else ()
        if not isinstance(self.rl, Rl):
            return (OBJECTIVES[self.objective], *judged)
        reward = self.rl.reward
        rewarded = (EXTRACTORS[reward.extractor],) if isinstance(reward, Frechet) else ()
        return (OBJECTIVES[self.objective], REWARDS[reward.kind], *rewarded, *judged)

    @classmethod
    def from_config(cls, config: Config, experiment: str, method: str) -> Self:
        of, rl = config.experiments[experiment], config.finetuning(experiment, method)
        limited: tuple[str, ...] = ()
        if isinstance(rl, Rl):
            limited = ("entropy", "kl", "wasserstein")
            if isinstance(rl.reward, Frechet):  # there is no critic
                limited = ("entropy", "kl")
        return cls(
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
        )


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

    @classmethod
    def from_config(cls, config: Config, experiment: str, method: str) -> Self:
        """As many steps as an RL run gives its critic."""
        of, rl = config.experiments[experiment], config.finetuning(experiment, method)
        assert isinstance(rl, Rl)  # by the rules
        assert isinstance(rl.reward, Critic)
        return cls(
            seed=of.seed,
            flip=of.prior.flip,
            critic=rl.reward,
            steps=rl.reward.warmup_steps + rl.iterations * rl.reward.steps,
            temperature=of.sampling.temperature,
            top_k=of.sampling.top_k,
            precision=of.precision,
            log_every=rl.log_every,
            limits=of.limits.of("wasserstein"),
        )


def rollout_rows(config: Config, experiment: str, method: str) -> tuple[int, ...]:
    """Rows of each grid that a rollout samples, coarse to fine; for `mle` all."""
    of, rl = config.experiments[experiment], config.finetuning(experiment, method)
    return rl.part.rows(of.latents) if isinstance(rl, Rl) else of.latents


def rewarded_by_distance(config: Config, experiment: str, method: str) -> bool:
    """Else a critic gives the reward, or nothing does."""
    rl = config.finetuning(experiment, method)
    return isinstance(rl, Rl) and isinstance(rl.reward, Frechet)


def rewarded_for_images(config: Config, experiment: str, method: str) -> bool:
    """In an oracle experiment: whether what gives the reward sees decoded images, not codes."""
    oracle = config.experiments[experiment].oracle
    assert oracle is not None  # by the rules
    if config.finetuned[method].objective == "mle":
        return False
    return oracle.critic_input == "images" or rewarded_by_distance(config, experiment, method)
