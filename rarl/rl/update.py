"""What an objective of fine-tuning is given, and what it gives: one update, called step by step.

The module of an objective has `start(run)`, which may change the prior in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from rarl.config.stages.train import FinetuneSettings
from rarl.models.codes import CodeSet
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.runtime.checkpoints import Stateful
from rarl.train.averaging import MovingAverage, Selection
from rarl.train.loop import Step


@dataclass(frozen=True)
class Run:
    """A run of fine-tuning."""

    settings: FinetuneSettings
    prior: CodePrior  # that is fine-tuned
    train: CodeSet  # codes of real images
    optimiser: torch.optim.Optimizer  # of the prior
    decoder: Decoder
    average: MovingAverage[CodePrior]  # of its weights, which are evaluated
    kept: Selection  # the best weights so far, or the last that were evaluated
    reward: Stateful | None  # a `rarl.rl.rewards.source.RewardSource`, where there is one


@dataclass(frozen=True)
class Update:
    step: Step
    warmup: int = 0  # steps before step 0
    state: Mapping[str, Stateful] = field(default_factory=dict)  # that steps change, too
