"""Codes to pixels, batch by batch: what the stages that look at images share."""

from collections.abc import Iterator

import torch
from torch import Tensor

from rarl.data.batches import consecutive
from rarl.data.pixels import to_pixels
from rarl.models.codes import CodeSet
from rarl.models.vqvae import VQVAE
from rarl.runtime.errors import UserError
from rarl.runtime.progress import track


@torch.no_grad()
def decode(model: VQVAE, codes: CodeSet, batch_size: int, description: str) -> Iterator[Tensor]:
    """(B, 3, H, W) uint8 images of a code set, in order, on the model's device.

    Raises `UserError` for codes of another VQ-VAE.
    """
    made = len(codes.grids), codes.codebook_size
    if made != (expected := (len(model.quantizers), model.settings.codebook_size)):
        raise UserError(
            f"{description}: the codes are of {made[0]} grids with a codebook of {made[1]}, but "
            f"the VQ-VAE has {expected[0]} with {expected[1]}; run the stage `codes` again"
        )
    batches = consecutive(len(codes), batch_size)
    for indices in track(batches, len(batches), description, "batch"):
        yield to_pixels(model.decode(codes.take(indices, model.device)))
