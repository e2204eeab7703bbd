"""A trained model in use: pictures from it, and what it says of pictures.

`rarl.load(folder)` opens what `rarl export` wrote.
"""

import shutil
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from rarl.data.pixels import to_pixels, to_unit
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior
from rarl.models.prior_file import load_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device
from rarl.runtime.errors import UserError
from rarl.runtime.files import atomic
from rarl.sampling import sample, uniforms_for

VQVAE_FILE, PRIOR_FILE = "vqvae.safetensors", "prior.safetensors"


class Generator:
    """A VQ-VAE and the prior of its codes, both in evaluation mode on one device.

    Pictures are uint8, (B, 3, H, W); codes are tuples of (B, h, w) int64 grids, coarse to fine.
    """

    def __init__(self, vqvae: VQVAE, prior: CodePrior) -> None:
        self.vqvae, self.prior = vqvae, prior

    @property
    def image_size(self) -> int:
        """Side of the pictures, pixels."""
        return self.vqvae.scale * self.prior.sides[-1]

    @torch.no_grad()
    def encode(self, pictures: UInt8[Tensor, "b 3 height width"]) -> Codes:
        """Raises ValueError for pictures that are not uint8 RGB of the model's size."""
        size = self.image_size
        if pictures.dtype != torch.uint8 or tuple(pictures.shape[1:]) != (3, size, size):
            raise ValueError(
                f"pictures are {pictures.dtype} {tuple(pictures.shape)}, expected uint8 "
                f"(B, 3, {size}, {size})"
            )
        return self.vqvae.encode(to_unit(pictures.to(self.vqvae.device)))

    @torch.no_grad()
    def decode(self, codes: Codes) -> UInt8[Tensor, "b 3 height width"]:
        return to_pixels(self.vqvae.decode(tuple(grid.to(self.vqvae.device) for grid in codes)))

    def draw(
        self, count: int, seed: int, *, temperature: float = 1.0, top_k: int = 0, first: int = 0
    ) -> UInt8[Tensor, "b 3 height width"]:
        """Pictures `first` to `first + count - 1` of a seed; the number of each decides it.

        Raises ValueError when `count` is below 1, or for a temperature or top-k without sense.
        """
        if count < 1:
            raise ValueError(f"count={count} must be at least 1")
        uniforms = self._uniforms(count, seed, first)
        return self.decode(sample(self.prior, uniforms, temperature=temperature, top_k=top_k))

    def complete(
        self,
        pictures: UInt8[Tensor, "b 3 height width"],
        rows: int,
        seed: int,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
    ) -> UInt8[Tensor, "b 3 height width"]:
        """Keeps the codes of the top `rows` pixel rows and draws the rest, given them.

        `rows` is rounded down to whole rows of the coarsest codes. The kept part comes back as its
        reconstruction. Raises ValueError when `rows` is outside the picture.
        """
        if not 0 <= rows <= self.image_size:
            raise ValueError(f"rows={rows} is outside a picture of {self.image_size} rows")
        codes = self.encode(pictures)
        coarse = rows * codes[0].shape[1] // self.image_size
        below = [slice(coarse * 2**grid, None) for grid in range(len(codes))]
        drawn = sample(
            self.prior,
            self._uniforms(len(pictures), seed, 0),
            temperature=temperature,
            top_k=top_k,
            context=codes,
            rows=below,
        )
        return self.decode(drawn)

    @torch.no_grad()
    def log_likelihood(self, pictures: UInt8[Tensor, "b 3 height width"]) -> Float[Tensor, " b"]:
        """log p(codes of each picture), nats: what the prior says, blind to what codes lose."""
        return self.code_log_likelihood(self.encode(pictures))

    @torch.no_grad()
    def code_log_likelihood(self, codes: Codes) -> Float[Tensor, " b"]:
        """log p(codes) of each picture, nats."""
        grids = tuple(grid.to(self.prior.device) for grid in codes)
        return torch.stack(
            [_taken(*pair) for pair in zip(self.prior(grids), grids, strict=True)]
        ).sum(0)

    def _uniforms(self, count: int, seed: int, first: int) -> Tensor:
        return uniforms_for(seed, first, count, sum(self.prior.positions), self.prior.device)


def _taken(logits: Float[Tensor, "b h w k"], codes: Int[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    log_probs = logits.log_softmax(-1).gather(-1, codes.unsqueeze(-1))
    return log_probs.flatten(1).sum(1)


def load(folder: str | Path, on: torch.device | None = None) -> Generator:
    """Opens a bundle; on the GPU when there is one.

    Raises `UserError` when a file is missing or something else. Unpickles nothing.
    """
    return from_files(Path(folder) / VQVAE_FILE, Path(folder) / PRIOR_FILE, on)


def from_files(vqvae: Path, prior: Path, on: torch.device | None = None) -> Generator:
    for path in (vqvae, prior):
        if not path.is_file():
            raise UserError(f"{path}: no such file; run the workflow that makes it, or rarl export")
    on = on or device.pick()
    return Generator(load_vqvae(vqvae, on), load_prior(prior, device=on))


def export(vqvae: Path, prior: Path, folder: Path) -> None:
    """Writes a bundle: both models with their settings and provenance in the files' headers.

    Raises `UserError` when they are no models.
    """
    from_files(vqvae, prior, torch.device("cpu"))
    for source, name in ((vqvae, VQVAE_FILE), (prior, PRIOR_FILE)):
        with atomic(folder / name) as temporary:
            shutil.copyfile(source, temporary)
