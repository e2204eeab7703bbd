"""Codes shown as they are, where nothing is decoded: the oracle experiment's stand-in."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from rarl.models.codes import Codes


class OneHot:
    """Has the side of a VQ-VAE that RAL sees: `decode`, and the shape of what it gives.

    One-hot and not by the prior's embedding: the critic then sees which code it is and nothing
    that the policy could move. Its first convolution is the embedding.
    """

    scale = 1  # rows for a row of codes

    def __init__(self, codebook_size: int) -> None:
        self.channels = codebook_size

    def decode(self, codes: Codes) -> Float[Tensor, "b k h w"]:
        """The one grid of `codes`, one-hot."""
        [grid] = codes
        return F.one_hot(grid, self.channels).movedim(-1, 1).float()
