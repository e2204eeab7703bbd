"""VQ-VAE: an image to grids of codes and back (van den Oord et al. 2017, arXiv 1711.00937).

Codes are a tuple of grids, coarse to fine: one, or `top` and `bottom` as in VQ-VAE-2 (Razavi et
al. 2019, arXiv 1906.00446). Each grid has half the side of the next. Images are float32 in
[-1, 1].
"""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import Vqvae
from rarl.models.codes import Codes
from rarl.models.quantize import Quantized, Quantizer
from rarl.runtime.precision import upcast


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
    """An image to the features of the finest grid: stride-2 convolutions, then residual blocks."""
    width, modules = 3, list[nn.Module]()
    for stage in range(of.layers):
        out = of.hidden_units // 2 if stage == 0 and of.layers > 1 else of.hidden_units
        modules += [_halve(of, width, out), nn.ReLU()]
        width = out
    padding = of.encoder_filter // 2
    modules.append(nn.Conv2d(width, of.hidden_units, of.encoder_filter, padding=padding))
    return nn.Sequential(*modules, *_residual_blocks(of), nn.ReLU())


def _coarser(of: Vqvae) -> nn.Sequential:
    """The features of a grid to those of the next coarser one."""
    halve = _halve(of, of.hidden_units, of.hidden_units)
    return nn.Sequential(halve, *_residual_blocks(of), nn.ReLU())


def _finer(of: Vqvae) -> nn.Sequential:
    """The codebook vectors of a grid to what the next finer one is encoded beside."""
    enter = nn.Conv2d(of.codebook_dim, of.hidden_units, 3, padding=1)
    return nn.Sequential(
        enter, *_residual_blocks(of), nn.ReLU(), *_double(of, of.hidden_units, of.hidden_units)
    )


def _decoder(of: Vqvae, grids: int) -> nn.Sequential:
    """The codebook vectors of all grids, at the finest resolution, to an image."""
    width = of.hidden_units
    modules: list[nn.Module] = [nn.Conv2d(grids * of.codebook_dim, width, 3, padding=1)]
    modules += _residual_blocks(of)
    for stage in reversed(range(of.layers)):
        out = 3 if stage == 0 else of.hidden_units // (2 if stage == 1 else 1)
        modules += [nn.ReLU(), *_double(of, width, out)]
        width = out
    return nn.Sequential(*modules)


def _halve(of: Vqvae, width: int, out: int) -> nn.Conv2d:
    return nn.Conv2d(width, out, of.encoder_filter, 2, of.encoder_filter // 2)


def _double(of: Vqvae, width: int, out: int) -> list[nn.Module]:
    """Twice the side; a convolution comes last.

    The pixels that a transposed convolution makes of one position have different weights, so that
    a checkerboard shows; copies have the same ones (Odena et al. 2016, doi 10.23915/distill.00003).
    """
    if of.upsampling == "nearest":
        return [nn.Upsample(scale_factor=2), nn.Conv2d(width, out, 3, padding=1)]
    return [nn.ConvTranspose2d(width, out, of.decoder_filter, 2, of.decoder_filter // 2 - 1)]


class VQVAE(nn.Module):
    """Encoder, one quantiser a grid, decoder; lists of modules run from the coarsest grid on."""

    channels = 3

    def __init__(self, settings: Vqvae, grids: int) -> None:
        super().__init__()
        self.settings, self.grids = settings, grids
        self.scale = 2**settings.layers  # pixels in a row of the finest codes
        self.encoder = _encoder(settings)
        self.coarser = nn.ModuleList(_coarser(settings) for _ in range(grids - 1))
        self.finer = nn.ModuleList(_finer(settings) for _ in range(grids - 1))
        hidden, dim = settings.hidden_units, settings.codebook_dim
        self.project = nn.ModuleList(
            nn.Conv2d(hidden if grid == 0 else 2 * hidden, dim, 1) for grid in range(grids)
        )
        self.quantizers = nn.ModuleList(
            Quantizer(
                settings.codebook_size,
                dim,
                settings.codebook_decay,
                settings.restart_threshold,
                unit_length=settings.codebook_distance == "cosine",
            )
            for _ in range(grids)
        )
        self.upsample = nn.ModuleList(
            nn.Sequential(
                *(layer for _ in range(grids - 1 - grid) for layer in _double(settings, dim, dim))
            )
            for grid in range(grids - 1)
        )
        self.decoder = _decoder(settings, grids)

    @property
    def device(self) -> torch.device:
        return self._quantizer(0).codebook.device

    @property
    def last_layer(self) -> nn.Parameter:
        """The weights of the convolution that makes the image."""
        return cast(nn.Parameter, self.decoder[-1].weight)

    def forward(self, images: Float[Tensor, "b 3 height width"]) -> Reconstruction:
        quantized = self._quantize(images)
        return Reconstruction(self._decode([grid.latents for grid in quantized]), quantized)

    def encode(self, images: Float[Tensor, "b 3 height width"]) -> Codes:
        """In evaluation mode: in training mode it would teach the codebook."""
        return tuple(grid.codes for grid in self._quantize(images))

    def decode(self, codes: Codes) -> Float[Tensor, "b 3 height width"]:
        """Grids of any height, as long as they show the same part of the image."""
        return self._decode([self._quantizer(i).embed(grid) for i, grid in enumerate(codes)])

    def _quantize(self, images: Tensor) -> tuple[Quantized, ...]:
        """Features from fine to coarse, then codes from coarse to fine, each beside the last."""
        features = [self.encoder(images)]
        for coarser in reversed(self.coarser):
            features.insert(0, coarser(features[0]))
        quantized: list[Quantized] = []
        for i, project in enumerate(self.project):
            seen = [features[i]]
            if quantized:
                seen.append(self.finer[i - 1](quantized[-1].latents))
            quantized.append(self._quantizer(i)(project(torch.cat(seen, 1))))
        return tuple(quantized)

    def _decode(self, latents: list[Tensor]) -> Tensor:
        *coarse, finest = latents
        enlarged = [up(grid) for up, grid in zip(self.upsample, coarse, strict=True)]
        return upcast(self.decoder(torch.cat((*enlarged, finest), 1)))

    def _quantizer(self, grid: int) -> Quantizer:
        return cast(Quantizer, self.quantizers[grid])


def vqvae_loss(
    images: Float[Tensor, "b 3 height width"], out: Reconstruction, beta: float
) -> dict[str, Tensor]:
    """Reconstruction MSE + beta * commitment (equation 3 of van den Oord et al. 2017).

    The commitment is the mean over grids; the codebooks learn by moving averages.
    """
    mse = F.mse_loss(out.images, images)
    commitment = torch.stack([grid.commitment for grid in out.quantized]).mean()
    return {"loss": mse + beta * commitment, "mse": mse, "commitment": commitment}
