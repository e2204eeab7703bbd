"""What a critic, or another source of the reward, says of images."""

from typing import NamedTuple

from torch import Tensor


class Scores(NamedTuple):
    """Unbounded, in the unit of what gives them."""

    whole: Tensor  # (B,) of each image
    patches: Tensor | None  # (B, h, w) of its patches; None where there are none
