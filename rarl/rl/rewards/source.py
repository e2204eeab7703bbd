"""What every source of the reward is."""

from collections.abc import Mapping
from typing import Any, Protocol

from jaxtyping import Float
from torch import Tensor

from rarl.models.scores import Scores
from rarl.rl.rollouts import Rollouts


class RewardSource(Protocol):
    """What scores rollouts, and may learn from them."""

    warmup_steps: int  # batches that it learns from before the first reward
    warmup_batch: int  # their rollouts, of all processes

    def score(self, images: Float[Tensor, "b c h w"]) -> Scores:
        """Of images in [-1, 1], this process's share; higher is better."""
        ...

    def warm_up(self, rollouts: Rollouts) -> None:
        """Learns from a batch before the first reward."""
        ...

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:
        """Learns from a batch that it has scored; returns its metrics."""
        ...

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...
