"""Which examples a step sees: a function of the seed and the step, so that nothing is stored."""

from functools import lru_cache

import torch
from jaxtyping import Int
from torch import Tensor

from rarl.runtime import seeds


def batch_indices(count: int, batch_size: int, seed: int, step: int) -> Int[Tensor, " b"]:
    """Indices of step `step` (from 0): epoch after epoch of shuffled examples, end to end.

    Every example is seen once before any is seen again; a batch may span two epochs.
    """
    positions = range(step * batch_size, (step + 1) * batch_size)
    return torch.tensor([_order(count, seed, p // count)[p % count] for p in positions])


@lru_cache(maxsize=4)
def _order(count: int, seed: int, epoch: int) -> Int[Tensor, " n"]:
    return torch.randperm(count, generator=seeds.generator(seed, "epoch", epoch))


def consecutive(count: int, batch_size: int) -> list[Int[Tensor, " b"]]:
    """All indices in order, in batches: for evaluation."""
    return list(torch.arange(count).split(batch_size))
