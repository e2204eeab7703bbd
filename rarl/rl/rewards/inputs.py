"""How a run gets the source of the reward that its settings choose.

A module in `rarl.kinds.REWARDS` has `build(settings, inputs)`, which gives a `RewardSource`.
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from rarl import kinds
from rarl.config.stages.train import FinetuneSettings
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.runtime.checkpoints import Stateful


@dataclass(frozen=True)
class RewardInputs:
    """What a kind of reward may need beside its own settings."""

    seed: int
    batch_size: int  # rollouts of an iteration
    shape: tuple[int, int, int]  # channels, height and width of what rollouts show
    device: torch.device
    reference: Path | None  # moments of real images' features
    source_sha256: str | None  # of a user's code, as it was planned


def load_reward(
    settings: FinetuneSettings, prior: CodePrior, decoder: Decoder, reference: Path | None
) -> Stateful | None:
    """A `RewardSource`; None for an objective without a reward.

    Raises `UserError` for what is missing or wrong.
    """
    chosen = settings.rl.rewarded
    if chosen is None:
        return None
    height, width = decoder.scale * settings.rows[-1], decoder.scale * prior.sides[-1]
    inputs = RewardInputs(
        seed=settings.seed,
        batch_size=settings.rl.batch_size,
        shape=(decoder.channels, height, width),
        device=prior.device,
        reference=reference,
        source_sha256=settings.source_sha256,
    )
    found: Stateful = kinds.load(kinds.REWARDS, chosen.kind).build(chosen, inputs)
    return found
