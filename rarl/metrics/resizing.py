"""Images at the size that a network sees."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

Filter = Literal["bilinear", "bicubic"]
Colour = tuple[float, float, float]  # red, green, blue, of values from 0 to 1

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)


def resized(
    images: UInt8[Tensor, "batch 3 height width"], size: int, by: Filter
) -> Float32[Tensor, "batch 3 size size"]:
    """Images at size x size pixels, 0..255, channels last; unchanged where they have that size."""
    x = images.to(torch.float32, memory_format=torch.channels_last)
    if x.shape[-2:] != (size, size):
        x = F.interpolate(x, size=(size, size), mode=by, antialias=True)
    return x


def described(size: int, by: Filter) -> str:
    """What `resized` does, for the protocol of a distance."""
    return f"{by} to {size}x{size}, antialiased"


def standardised(
    x: Float32[Tensor, "batch 3 height width"], mean: Colour, deviation: Colour
) -> Float32[Tensor, "batch 3 height width"]:
    """0..255 to values of about mean 0 and deviation 1, those of the data behind a network."""
    shape = (1, 3, 1, 1)
    offset, scale = (255 * x.new_tensor(of).view(shape) for of in (mean, deviation))
    return (x - offset) / scale
