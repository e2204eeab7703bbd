"""What a critic, or another source of the reward, says of images."""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor


class Scores(NamedTuple):
    """Unbounded, in the unit of what gives them."""

    whole: Tensor  # (B,) of each picture
    patches: Tensor | None  # (B, h, w) of its patches; None without such a head

    @property
    def total(self) -> Float[Tensor, " b"]:
        """One number a picture, for the gradient penalties."""
        return self.whole if self.patches is None else self.whole + self.patches.mean((1, 2))
