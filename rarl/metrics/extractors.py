"""The feature extractors by their names in the configuration."""

import torch

from rarl.metrics.extractor import Extractor
from rarl.stage_settings import ExtractorSettings


def load_extractor(settings: ExtractorSettings, device: torch.device) -> Extractor:
    """The extractor that `settings` name, with checked weights, on `device`.

    Raises `UserError` when the weights are missing or are not the published ones.
    """
    # Each extractor's package takes a second or two to import: only the chosen one is.
    match settings.name:
        case "inception":
            from rarl.metrics import inception  # noqa: PLC0415

            return inception.load(settings.weights, device)
        case "efficientnet_lite0" | "efficientnet_lite1":
            from rarl.metrics import efficientnet  # noqa: PLC0415

            return efficientnet.load(settings.name, settings.weights, device)
