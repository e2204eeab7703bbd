"""Settings of the stages that compute features of images."""

from typing import Self

from rarl.config import Config, Count, ExtractorChoice, ExtractorName, Settings
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
    def from_config(cls, config: Config, experiment: str) -> Self:
        """That of the evaluation."""
        return cls.of(config.experiments[experiment].evaluation)


class FeaturesSettings(Settings):
    extractor: ExtractorSettings
    batch_size: Count

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.extractor.kinds

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        """Those of the evaluation."""
        return cls(
            extractor=ExtractorSettings.from_config(config, experiment),
            batch_size=config.experiments[experiment].evaluation.batch_size,
        )

    @classmethod
    def of_reward(cls, config: Config, experiment: str, method: str) -> Self:
        """Those of real images, of which a method's reward needs the moments."""
        reward = config.finetuning(experiment, method).rewarded
        assert reward is not None  # by the rules
        assert reward.reference is not None
        return cls(
            extractor=ExtractorSettings.of(reward.reference),
            batch_size=config.experiments[experiment].evaluation.batch_size,
        )


class RealFeaturesSettings(Settings):
    extractor: ExtractorSettings
    batch_size: Count
    count: Count  # reconstructions, or all when there are fewer

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.extractor.kinds

    @classmethod
    def from_config(cls, config: Config, experiment: str) -> Self:
        of = config.experiments[experiment].evaluation
        return cls(
            extractor=ExtractorSettings.from_config(config, experiment),
            batch_size=of.batch_size,
            count=of.real_count,
        )
