"""The optimiser of every model."""

from collections.abc import Iterable

import torch
from torch import nn


def adam(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.Adam:
    """Kingma & Ba 2015 (arXiv 1412.6980); on a GPU a step of all weights is one kernel."""
    held = list(parameters)
    return torch.optim.Adam(held, learning_rate, betas, fused=held[0].is_cuda or None)
