"""Normalisation that lets no position see another."""

from jaxtyping import Float
from torch import Tensor, nn


class PositionNorm(nn.LayerNorm):
    """Normalises the channels of each position by themselves: nothing else is seen through it."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
