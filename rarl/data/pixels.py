"""uint8 pixels to the range that networks see, and back."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def to_unit(images: Int[Tensor, "b 3 height width"]) -> Float[Tensor, "b 3 height width"]:
    """uint8 pixels to float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1.0)


def to_pixels(images: Float[Tensor, "b 3 height width"]) -> Int[Tensor, "b 3 height width"]:
    """[-1, 1] to uint8 pixels, rounded and clipped."""
    return images.add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
