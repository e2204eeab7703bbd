"""Samplers that a GPU has recorded, kept for the next batch of the same shape.

To record a row costs more than to draw some rows without, so a sampler of a network and of a batch
of one shape is kept, with its recording. A recording reads the tensors that it was made with: they
belong to a copy of the network, into which the network's weights are copied before each batch.
"""

from collections.abc import Callable, Hashable
from copy import deepcopy
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from rarl.models.level_prior import LevelPrior, Sampler
from rarl.runtime.precision import cast_weights, product_dtype

MOST = 4  # kept of a network: of rollouts, of held-out samples, and of the last batch of each


class Recorded:
    """A copy of a network, in the precision that products have here, and samplers that read it."""

    def __init__(self, network: LevelPrior, like: Tensor) -> None:
        cast = cast_weights(network, like, but=network.last_layer)
        self._copy = (deepcopy(network) if cast is network else cast).requires_grad_(False)
        self._samplers: dict[Hashable, Sampler] = {}

    def refresh(self, network: LevelPrior) -> None:
        """Gives the copy the weights that the network has now."""
        for own, now in zip(self._copy.parameters(), network.parameters(), strict=True):
            own.copy_(now)

    def sampler(self, key: Hashable, make: Callable[[LevelPrior], Sampler]) -> Sampler:
        """The sampler of this key, made where there is none; the least recent one may go."""
        found = self._samplers.pop(key, None) or make(self._copy)
        self._samplers[key] = found
        if len(self._samplers) > MOST:
            del self._samplers[next(iter(self._samplers))]
        return found


# A network's recordings go with it. Nothing that is kept refers to it, only to the copy.
_KEPT: WeakKeyDictionary[LevelPrior, dict[Hashable, Recorded]] = WeakKeyDictionary()


@torch.no_grad()
def refreshed(network: LevelPrior, like: Tensor) -> Recorded:
    """What is kept of a network in the precision and on the device of now, with its weights."""
    kept = _KEPT.setdefault(network, {})
    key = (like.device, next(network.parameters()).dtype, product_dtype(like))
    if key not in kept:
        kept[key] = Recorded(network, like)
    kept[key].refresh(network)
    return kept[key]
