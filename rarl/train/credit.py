"""Who gets the reward: a critic's scores to one advantage for every drawn code."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from rarl import losses
from rarl.config import Rl
from rarl.models.critic import Scores

SCALE_DECAY = 0.95  # of the moving average that scales advantages: about 20 iterations


class Credit:
    """Advantages in units of their usual size, a moving average over iterations.

    Not of the batch's own deviation: when most of a picture is given, little is at stake.
    """

    def __init__(self, settings: Rl) -> None:
        self.settings = settings
        self._squares: dict[str, Tensor] = {}

    def __call__(self, scores: Scores, shapes: Sequence[tuple[int, int]]) -> Tensor:
        """(B, N) advantages of the drawn codes, `shapes` rows x columns a grid, coarse to fine."""
        group = self.settings.rollouts_per_context
        if group == 1:  # no two rollouts share a context
            group = len(scores.whole)
        positions = sum(height * width for height, width in shapes)
        whole = self._scaled("whole", losses.leave_one_out(scores.whole, group)).unsqueeze(1)
        if self.settings.reward == "single":
            return whole.expand(-1, positions)
        assert scores.patches is not None  # for the type checker: the configuration sees to it
        credit = []
        for shape in shapes:
            patches = F.interpolate(scores.patches.unsqueeze(1), shape, mode="bilinear")
            returns = losses.reward_to_go(patches.flatten(1), self.settings.discount)  # (B, N)
            credit.append(losses.leave_one_out(returns, group))
        local = self._scaled("patches", torch.cat(credit, 1))
        weight = self.settings.whole_weight
        return (1 - weight) * local + weight * whole

    def _scaled(self, name: str, advantages: Tensor) -> Tensor:
        square = advantages.square().mean()
        average = self._squares.get(name, square).lerp(square, 1 - SCALE_DECAY)
        self._squares[name] = average
        return advantages / (average.sqrt() + 1e-8)
