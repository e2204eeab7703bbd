"""VQ-VAE: an image to a grid of codes and back (van den Oord et al. 2017, arXiv 1711.00937).

Codes are a tuple of grids, coarse to fine; this model has one. Images are float32 in [-1, 1].
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rarl.config import Vqvae
from rarl.models.quantize import Quantized, Quantizer

Codes = tuple[Tensor, ...]  # of (B, h, w) int64, coarse to fine


class Reconstruction(NamedTuple):
    images: Tensor  # (B, 3, H, W) in about [-1, 1]
    quantized: tuple[Quantized, ...]  # grid by grid


class ResidualBlock(nn.Sequential):
    def __init__(self, hidden: int, residual: int) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(hidden, residual, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(residual, hidden, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


def _residual_blocks(of: Vqvae) -> list[nn.Module]:
    return [ResidualBlock(of.hidden_units, of.residual_units) for _ in range(of.residual_blocks)]


def _encoder(of: Vqvae) -> nn.Sequential:
    """Stride-2 convolutions, each halving the image, then residual blocks."""
    width, modules = 3, list[nn.Module]()
    for stage in range(of.layers):
        out = of.hidden_units // 2 if stage == 0 and of.layers > 1 else of.hidden_units
        padding = of.encoder_filter // 2
        modules += [nn.Conv2d(width, out, of.encoder_filter, 2, padding), nn.ReLU()]
        width = out
    modules.append(nn.Conv2d(width, of.hidden_units, of.encoder_filter, padding=padding))
    modules += _residual_blocks(of)
    modules += [nn.ReLU(), nn.Conv2d(of.hidden_units, of.codebook_dim, 1)]
    return nn.Sequential(*modules)


def _decoder(of: Vqvae) -> nn.Sequential:
    """The mirror of the encoder, with transposed convolutions."""
    modules: list[nn.Module] = [nn.Conv2d(of.codebook_dim, of.hidden_units, 3, padding=1)]
    modules += _residual_blocks(of)
    width, padding = of.hidden_units, of.decoder_filter // 2 - 1
    for stage in reversed(range(of.layers)):
        out = 3 if stage == 0 else of.hidden_units // (2 if stage == 1 else 1)
        modules += [nn.ReLU(), nn.ConvTranspose2d(width, out, of.decoder_filter, 2, padding)]
        width = out
    return nn.Sequential(*modules)


class VQVAE(nn.Module):
    def __init__(self, settings: Vqvae) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = _encoder(settings)
        self.quantizer = Quantizer(
            settings.codebook_size,
            settings.codebook_dim,
            settings.codebook_decay,
            settings.restart_threshold,
        )
        self.decoder = _decoder(settings)

    def forward(self, images: Float[Tensor, "b 3 height width"]) -> Reconstruction:
        quantized = self.quantizer(self.encoder(images))
        return Reconstruction(self.decoder(quantized.latents), (quantized,))

    def encode(self, images: Float[Tensor, "b 3 height width"]) -> Codes:
        latents = self.encoder(images)
        b, d, h, w = latents.shape
        flat = latents.permute(0, 2, 3, 1).reshape(-1, d)
        return (self.quantizer.nearest(flat).view(b, h, w),)

    def decode(self, codes: Codes) -> Float[Tensor, "b 3 height width"]:
        return self.decoder(self.quantizer.embed(codes[0]))


def vqvae_loss(
    images: Float[Tensor, "b 3 height width"], out: Reconstruction, beta: float
) -> dict[str, Tensor]:
    """Reconstruction MSE + beta * commitment (equation 3 of the paper, codebook by averages)."""
    mse = F.mse_loss(out.images, images)
    commitment = torch.stack([grid.commitment for grid in out.quantized]).mean()
    return {"loss": mse + beta * commitment, "mse": mse, "commitment": commitment}


def to_unit(images: Int[Tensor, "b 3 height width"]) -> Float[Tensor, "b 3 height width"]:
    """uint8 pixels to float32 in [-1, 1]."""
    return images.float().div_(127.5).sub_(1.0)


def to_pixels(images: Float[Tensor, "b 3 height width"]) -> Int[Tensor, "b 3 height width"]:
    """[-1, 1] to uint8 pixels, rounded and clipped."""
    return images.add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
