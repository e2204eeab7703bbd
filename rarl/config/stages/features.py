"""Settings of the stages that compute features of images."""

from typing import Self

from rarl.config import Config, Count, CountOrZero, ExtractorChoice, ExtractorName, Settings
from rarl.kinds import EXTRACTORS


class ExtractorSettings(Settings):
    """How features are computed; part of the protocol behind every distance."""

    name: ExtractorName
    weights: str | None

    @property
    def kinds(self) -> tuple[str, ...]:
        return (EXTRACTORS[self.name],)

    @classmethod
    def of(cls, chosen: ExtractorChoice) -> Self:
        """Of a part of the configuration that chooses one."""
        return cls(name=chosen.extractor, weights=chosen.weights)

    @classmethod
    def from_config(cls, config: Config, experiment: str, name: str | None = None) -> Self:
        """One of the evaluation; without a name that of model selection, the first."""
        of = config.experiments[experiment].evaluation
        chosen = of.extractors[0] if name is None else of.extractors[of.extractors.index(name)]
        return cls(name=chosen, weights=(of.weights or {}).get(chosen))


class FeaturesSettings(Settings):
    """Of any images."""

    extractor: ExtractorSettings
    batch_size: Count

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.extractor.kinds

    @classmethod
    def from_config(cls, config: Config, experiment: str, extractor: str) -> Self:
        return cls(
            extractor=ExtractorSettings.from_config(config, experiment, extractor),
            batch_size=config.experiments[experiment].evaluation.batch_size,
        )


class ReferenceSettings(FeaturesSettings):
    """Of the images with which others are compared."""

    held_out: CountOrZero  # images that are left out

    @classmethod
    def from_config(cls, config: Config, experiment: str, extractor: str) -> Self:
        of = config.experiments[experiment].evaluation
        return cls(
            extractor=ExtractorSettings.from_config(config, experiment, extractor),
            batch_size=of.batch_size,
            held_out=of.held_out,
        )

    @classmethod
    def of_reward(cls, config: Config, experiment: str, method: str) -> Self:
        """Those of all training images, of which a method's reward needs the moments."""
        reward = config.finetuning(experiment, method).rewarded
        assert reward is not None  # by the rules
        assert reward.reference is not None
        return cls(
            extractor=ExtractorSettings.of(reward.reference),
            batch_size=config.experiments[experiment].evaluation.batch_size,
            held_out=0,
        )


class RealFeaturesSettings(ReferenceSettings):
    """Of some of the images of the reference."""

    count: Count  # reconstructions, or all when there are fewer

    @classmethod
    def from_config(cls, config: Config, experiment: str, extractor: str) -> Self:
        of = config.experiments[experiment]
        return cls(
            extractor=ExtractorSettings.from_config(config, experiment, extractor),
            batch_size=of.evaluation.batch_size,
            held_out=of.evaluation.held_out,
            count=of.evaluation.real_count,
        )


class HeldOutFeaturesSettings(ReferenceSettings):
    """Of images that the reference leaves out."""

    count: Count  # as many as a seed has samples, or all when there are fewer

    @classmethod
    def from_config(cls, config: Config, experiment: str, extractor: str) -> Self:
        of = config.experiments[experiment]
        return cls(
            extractor=ExtractorSettings.from_config(config, experiment, extractor),
            batch_size=of.evaluation.batch_size,
            held_out=of.evaluation.held_out,
            count=of.sampling.count,
        )
