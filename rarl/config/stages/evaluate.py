"""Settings of the stages that sample, and that measure the samples."""

from typing import Self

from rarl.config import (
    Config,
    Count,
    CountOrZero,
    Positive,
    Precision,
    Prior,
    Rejection,
    SecondsTable,
    Settings,
    Tempered,
)
from rarl.config.stages.train import rollout_rows


class SampleSettings(Settings):
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
        sampled = of.sampling.pictures(shard)
        return cls(
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

    @classmethod
    def from_config(
        cls, config: Config, experiment: str, method: str, seed: int, shard: int
    ) -> Self:
        of = config.methods[method]
        assert isinstance(of, Rejection)  # by the rules
        sample = SampleSettings.from_config(config, experiment, method, seed, shard)
        return cls(sample=sample, draws=of.draws)


class DistanceSettings(Settings):
    """Nothing to set: the protocol travels in the files of features and moments."""


class QualitySettings(Settings):
    neighbours: Count
    kid_subsets: Count
    kid_subset_size: Count

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment].evaluation
        return cls(
            neighbours=of.neighbours,
            kid_subsets=of.kid_subsets,
            kid_subset_size=of.kid_subset_size,
        )


class NllSettings(Settings):
    batch_size: Count

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        return cls(batch_size=config.experiments[experiment].sampling.batch_size)


class SecondsSettings(Settings):
    """What it takes to sample a batch of rollouts, with weights of any kind."""

    latents: tuple[Count, ...]
    codebook_size: Count
    priors: tuple[Prior, ...]
    rows: tuple[Count, ...]  # that a rollout samples of each grid
    batch_size: Count
    precision: Precision

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
