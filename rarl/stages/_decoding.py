"""Codes to pixels, batch by batch: what the stages that look at pictures share."""

from collections.abc import Iterator

import torch
from torch import Tensor

from rarl.models.saved import CodeSet
from rarl.models.vqvae import VQVAE, to_pixels
from rarl.runtime.progress import track
from rarl.train.batches import consecutive


@torch.no_grad()
def decode(model: VQVAE, codes: CodeSet, batch_size: int, description: str) -> Iterator[Tensor]:
    """(B, 3, H, W) uint8 pictures of a code set, in order, on the model's device."""
    batches = consecutive(len(codes), batch_size)
    for indices in track(batches, len(batches), description, "batch"):
        yield to_pixels(model.decode(codes.take(indices, model.device)))
