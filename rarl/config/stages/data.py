"""Settings of the stages that make images and their codes."""

from typing import Self

from rarl.config import Config, Count, CountOrZero, Dataset, Settings
from rarl.config.stages.train import PriorSettings, SampledPriors
from rarl.kinds import DATASETS


class PrepareSettings(Settings):
    dataset: Dataset
    image_size: Count

    @property
    def kinds(self) -> tuple[str, ...]:
        return (DATASETS[self.dataset.kind],)

    @classmethod
    def from_config(cls, config: Config, dataset: str, image_size: int) -> Self:
        return cls(dataset=config.datasets[dataset], image_size=image_size)


class CodesSettings(Settings):
    batch_size: Count
    flip: bool  # encode the mirrored images, too: some prior learns them

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment]
        readers = [of.prior, *map(of.prior.of, of.grids)]
        readers += [
            PriorSettings.of_oracle(config, name).prior
            for name, other in config.experiments.items()
            if other.oracle and other.oracle.of == experiment
        ]
        flip = any(reader.flip for reader in readers)
        return cls(batch_size=of.vqvae.batch_size, flip=flip)


class OracleCodesSettings(SampledPriors):
    seed: CountOrZero
    train: Count
    val: Count
    batch_size: Count

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment]
        assert of.oracle is not None  # by the rules
        return cls(
            prior_kinds=(of.oracle_kind,),
            seed=of.seed,
            train=of.oracle.train,
            val=of.oracle.val,
            batch_size=of.sampling.batch_size,
        )
