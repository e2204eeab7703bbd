"""Settings of the stages that sample, and that measure the samples."""

from typing import Self

from rarl.config import (
    Config,
    Count,
    CountOrZero,
    CriticSettings,
    Positive,
    Precision,
    Prior,
    Real,
    Rejection,
    SecondsTable,
    Settings,
    Tempered,
)
from rarl.config.stages.train import SampledPriors, rollout_rows
from rarl.kinds import CRITICS, PRIORS, SAMPLERS


class SampleSettings(SampledPriors):
    seed: CountOrZero
    first: CountOrZero  # image of the seed
    count: Count  # images
    batch_size: Count
    temperature: Positive
    top_k: CountOrZero
    precision: Precision

    @classmethod
    def from_config(
        cls, config: Config, experiment: str, method: str, seed: int, shard: int
    ) -> Self:
        of, by = config.experiments[experiment], config.methods[method]
        sampled = of.sampling.images(shard)
        return cls(
            prior_kinds=of.prior_kinds,
            seed=seed,
            first=sampled.start,
            count=len(sampled),
            batch_size=of.sampling.batch_size,
            temperature=by.temperature if isinstance(by, Tempered) else of.sampling.temperature,
            top_k=of.sampling.top_k,
            precision=of.precision,
        )


class RejectSettings(Settings):
    sample: SampleSettings
    draws: Count  # for each image that is kept
    network: str  # of the critic

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*self.sample.kinds, CRITICS[self.network])

    @classmethod
    def from_config(
        cls, config: Config, experiment: str, method: str, seed: int, shard: int
    ) -> Self:
        of = config.methods[method]
        assert isinstance(of, Rejection)  # by the rules
        sample = SampleSettings.from_config(config, experiment, method, seed, shard)
        reward = config.finetuning(experiment, method).rewarded
        assert isinstance(reward, CriticSettings)  # by the checks of a configuration
        return cls(sample=sample, draws=of.draws, network=reward.network)


class DistanceSettings(Settings):
    """The protocol travels in the files of features and moments."""

    extrapolation: bool

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        return cls(extrapolation=config.experiments[experiment].evaluation.extrapolation)


class ReconstructionSettings(Settings):
    """Nothing to set: the protocol travels in the files of moments."""


class QualitySettings(Settings):
    neighbours: Count
    near_quantile: Real
    near_confidence: Real
    kid_subsets: Count
    kid_subset_size: Count

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment].evaluation
        return cls(
            neighbours=of.neighbours,
            near_quantile=of.near_quantile,
            near_confidence=of.near_confidence,
            kid_subsets=of.kid_subsets,
            kid_subset_size=of.kid_subset_size,
        )


class NllSettings(Settings):
    batch_size: Count
    prior_kinds: tuple[str, ...]  # of the oracle and of the levels' priors

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(PRIORS[kind] for kind in self.prior_kinds)

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment]
        return cls(batch_size=of.sampling.batch_size, prior_kinds=(of.oracle_kind, *of.prior_kinds))


class SecondsSettings(Settings):
    """What it takes to sample a batch of rollouts, with weights of any kind."""

    latents: tuple[Count, ...]
    codebook_size: Count
    priors: tuple[Prior, ...]
    rows: tuple[Count, ...]  # that a rollout samples of each level
    batch_size: Count
    precision: Precision

    @property
    def kinds(self) -> tuple[str, ...]:
        used = sorted({prior.kind for prior in self.priors})
        return tuple(registry[kind] for registry in (PRIORS, SAMPLERS) for kind in used)

    @classmethod
    def from_config(cls, config: Config, experiment: str, method: str, table: str) -> Self:
        of, shown = config.experiments[experiment], config.tables[table]
        assert isinstance(shown, SecondsTable)  # by the rules
        return cls(
            latents=of.latents,
            codebook_size=of.vqvae.codebook_size,
            priors=tuple(of.prior.of(grid) for grid in of.grids),
            rows=rollout_rows(config, experiment, method),
            batch_size=shown.batch_size,
            precision=of.precision,
        )
