"""Prepared images as batches of tensors."""

import torch
from torch import Tensor

from rarl.data.pixels import to_unit
from rarl.data.shards import PackedImages


def load_pixels(images: PackedImages, indices: Tensor) -> Tensor:
    """(B, 3, H, W) uint8, on the CPU."""
    return torch.from_numpy(images.take(indices.numpy())).permute(0, 3, 1, 2)


def load_images(images: PackedImages, indices: Tensor, device: torch.device) -> Tensor:
    """(B, 3, H, W) float32 in [-1, 1]."""
    return to_unit(load_pixels(images, indices).to(device))
