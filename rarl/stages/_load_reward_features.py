"""To what a reward is a distance: what the stages that fine-tune share."""

from pathlib import Path

import torch

from rarl.config import Finetuning, Frechet, Rl
from rarl.config.stages.features import ExtractorSettings
from rarl.metrics import moments
from rarl.metrics.extractor import Extractor
from rarl.metrics.extractors import load_extractor
from rarl.metrics.frechet import Gaussian
from rarl.runtime.errors import UserError


def rewarded_distance(
    rl: Finetuning, reference: Path | None, on: torch.device
) -> tuple[Extractor, Gaussian] | None:
    """The features and the moments of a reward that is a distance; None where it is none.

    Raises `UserError` when moments are needed and no file is given.
    """
    if not isinstance(rl, Rl) or not isinstance(rl.reward, Frechet):
        return None
    if reference is None:
        raise UserError("the reward is a distance, but --reward-reference names no file")
    chosen = ExtractorSettings(name=rl.reward.extractor, weights=rl.reward.weights)
    return load_extractor(chosen, on), moments.load(reference)
