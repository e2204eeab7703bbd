"""What an objective of fine-tuning gives: one update of the prior, called step by step.

The module of an objective has `start(settings, prior, train, optimiser, decoder, distance)`, which
may change `prior` in place and returns an `Update`; its arguments are those of
`rarl.rl.finetune.finetune` and the optimiser of the prior.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rarl.runtime.checkpoints import Stateful
from rarl.train.loop import Step


@dataclass(frozen=True)
class Update:
    step: Step
    warmup: int = 0  # steps before step 0
    state: Mapping[str, Stateful] = field(default_factory=dict)  # that steps change, too
