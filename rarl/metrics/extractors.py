"""The feature extractors by their names in the configuration."""

import torch

from rarl import kinds
from rarl.config.stages.features import ExtractorSettings
from rarl.metrics.extractor import Extractor


def load_extractor(settings: ExtractorSettings, device: torch.device) -> Extractor:
    """The extractor that `settings` name, with checked weights, on `device`.

    Raises `UserError` when the weights are missing or are not the published ones.
    """
    module = kinds.load(kinds.EXTRACTORS, settings.name)
    found: Extractor = module.from_settings(settings, device)
    return found
