"""The precision that networks compute in while they train and draw."""

from contextlib import AbstractContextManager
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from rarl.config import Precision
from rarl.runtime import device

PRODUCTS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
Module = TypeVar("Module", bound=nn.Module)


def autocast(precision: Precision) -> AbstractContextManager[object]:
    """Within, matrix products and convolutions are of this type (torch's autocast).

    With bfloat16 weights, residual sums, logits, scores, losses and codebooks stay float32. No
    converted weights are kept: within, an optimiser may take many steps.
    """
    return torch.autocast(
        device.pick().type,
        torch.bfloat16,
        enabled=precision == "bfloat16",
        cache_enabled=False,
    )


def exact(like: Tensor) -> AbstractContextManager[object]:
    """Within, everything has the type of its tensors, whatever is set outside."""
    return torch.autocast(like.device.type, enabled=False)


def forward_fp32(layer: nn.Module, x: Tensor) -> Tensor:
    """The output of a last layer in the type of its weights: what a choice is made by."""
    if not torch.is_autocast_enabled(x.device.type):  # at every code of a draw a context costs more
        return layer(x)
    with exact(x):
        return layer(upcast(x))


def cast_weights(module: Module, like: Tensor, *, but: str) -> Module:
    """A copy whose layers, but for one, have weights of the type that products have here.

    The module itself where nothing is cast. For a network that runs many times with the same
    weights: autocast would convert them each time.
    """
    dtype = product_dtype(like)
    if dtype is None:
        return module
    copy = deepcopy(module)
    for name, part in copy.named_modules():
        if isinstance(part, PRODUCTS) and name != but:
            part.to(dtype)
    return copy


def product_dtype(like: Tensor) -> torch.dtype | None:
    """The type that products have here; None where they have that of their tensors."""
    on = like.device.type
    return torch.get_autocast_dtype(on) if torch.is_autocast_enabled(on) else None


def upcast(x: Tensor) -> Tensor:
    """In float32, or as it is where that is no less: what is added up or taken a log of."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
