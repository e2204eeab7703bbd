"""Who gets the reward: the scores of images to one advantage for every sampled code."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rarl import losses
from rarl.config import Rl, SingleCredit
from rarl.models.scores import Scores
from rarl.rl.rollouts import Rows, shown

SCALE_DECAY = 0.95  # of the moving average that scales advantages: about 20 iterations


class AdvantageEstimator:
    """Advantages in units of their usual size, a moving average over iterations.

    Not of the batch's own deviation: when most of an image is given, little is at stake.
    """

    def __init__(self, settings: Rl, device: torch.device) -> None:
        """`device` is that of the scores."""
        self.settings, self.device = settings, device
        self._squares: dict[str, Tensor] = {}

    def __call__(self, scores: Scores, rows: Rows, sides: Sequence[int]) -> Tensor:
        """(B, N) advantages of the codes in `rows` of levels of these sides, level after level."""
        group = group_size(self.settings.rollouts_per_context, len(scores.whole))
        positions = sum(
            (sampled.stop - sampled.start) * side for sampled, side in zip(rows, sides, strict=True)
        )
        whole = self._scaled("whole", losses.leave_one_out(scores.whole, group)).unsqueeze(1)
        how = self.settings.credit
        if isinstance(how, SingleCredit):
            return whole.expand(-1, positions)
        assert scores.patches is not None  # for the type checker: the configuration sees to it
        returns = self._returns(scores.patches, rows, sides, how.discount)
        local = self._scaled("patches", losses.leave_one_out(returns, group))
        weight = how.whole_weight
        return self._scaled("mixed", (1 - weight) * local + weight * whole)

    def state_dict(self) -> dict[str, Any]:
        return self._squares

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self._squares = {name: square.to(self.device) for name, square in state.items()}

    def _returns(
        self, patches: Tensor, rows: Rows, sides: Sequence[int], discount: float
    ) -> Tensor:
        """(B, N) discounted returns: the map resampled to what it shows of each level, 0 around."""
        levels = []
        for sampled, seen, side in zip(rows, shown(rows), sides, strict=True):
            size = (seen.stop - seen.start, side)
            cells = F.interpolate(patches.unsqueeze(1), size, mode="bilinear", antialias=True)
            around = (0, 0, seen.start - sampled.start, sampled.stop - seen.stop)
            cells = F.pad(cells.squeeze(1), around)
            levels.append(losses.reward_to_go(cells.flatten(1), discount))
        return torch.cat(levels, 1)

    def _scaled(self, name: str, advantages: Tensor) -> Tensor:
        square = advantages.square().mean()
        average = self._squares.get(name, square).lerp(square, 1 - SCALE_DECAY)
        self._squares[name] = average
        return advantages / (average.sqrt() + 1e-8)


def group_size(rollouts_per_context: int, count: int) -> int:
    """How many of `count` rollouts are compared with each other: those that share a context.

    All of them, where no two do.
    """
    return rollouts_per_context if rollouts_per_context > 1 else count
