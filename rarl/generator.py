"""A trained model in use: images from it, and what it says of images.

`rarl.load` opens a folder that `rarl export` wrote (`rarl.model_folder`), or a pretrained model.
"""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rarl import image_types
from rarl.data.pixels import to_pixels, to_unit
from rarl.image_types import Images, OutputType
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior
from rarl.models.prior_file import load_prior
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime.errors import UserError
from rarl.sampling import sample, uniforms_for


class Generator:
    """A VQ-VAE and the prior of its codes, both in evaluation mode on one device.

    Images are uint8 RGB of `image_size`. They go in as PIL images, arrays (B, H, W, 3) or tensors
    (B, 3, H, W), and come out as `output_type` says: "pil", "np" or "pt", likewise. Codes are a
    tuple of (B, h, w) int64 tensors: one level, or the top and the bottom level.
    """

    def __init__(self, vqvae: VQVAE, prior: CodePrior, *, temperature: float, top_k: int) -> None:
        """`temperature` and `top_k` are what sampling uses unless it is told otherwise."""
        self.vqvae, self.prior = vqvae, prior
        self.temperature, self.top_k = temperature, top_k

    @property
    def image_size(self) -> int:
        """Side of the images, pixels."""
        return self.vqvae.scale * self.prior.sides[-1]

    @torch.no_grad()
    def encode(self, images: Images) -> Codes:
        """Raises ValueError for images that are not uint8 RGB of the model's size."""
        pixels = image_types.to_tensor(images, self.image_size)
        return self.vqvae.encode(to_unit(pixels.to(self.vqvae.device)))

    @torch.no_grad()
    def decode(self, codes: Codes, *, output_type: OutputType = "pt") -> Any:
        """Images of codes."""
        image_types.check(output_type)
        decoded = self.vqvae.decode(tuple(level.to(self.vqvae.device) for level in codes))
        return image_types.from_tensor(to_pixels(decoded), output_type)

    def sample(
        self,
        count: int,
        seed: int,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        first: int = 0,
        output_type: OutputType = "pt",
    ) -> Any:
        """Images `first` to `first + count - 1` of a seed; the number of each decides it.

        Raises ValueError when `count` is below 1, or for a temperature or top-k without sense.
        """
        image_types.check(output_type)
        if count < 1:
            raise ValueError(f"count={count} must be at least 1")
        codes = sample(
            self.prior, self._uniforms(count, seed, first), **self._chosen(temperature, top_k)
        )
        return self.decode(codes, output_type=output_type)

    def complete(
        self,
        images: Images,
        rows: int,
        seed: int,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        output_type: OutputType = "pt",
    ) -> Any:
        """Keeps the codes of the top `rows` pixel rows and samples the rest, given them.

        `rows` is rounded down to whole rows of the top level. The kept part comes back as its
        reconstruction. Raises ValueError when `rows` is outside the image.
        """
        image_types.check(output_type)
        if not 0 <= rows <= self.image_size:
            raise ValueError(f"rows={rows} is outside an image of {self.image_size} rows")
        codes = self.encode(images)
        kept = rows * codes[0].shape[1] // self.image_size
        below = [slice(kept * 2**level, None) for level in range(len(codes))]
        completed = sample(
            self.prior,
            self._uniforms(len(codes[0]), seed, 0),
            context=codes,
            rows=below,
            **self._chosen(temperature, top_k),
        )
        return self.decode(completed, output_type=output_type)

    @torch.no_grad()
    def log_likelihood(self, images: Images) -> Float[Tensor, " b"]:
        """log p(codes of each image), nats: what the prior says, blind to what codes lose."""
        return self.code_log_likelihood(self.encode(images))

    @torch.no_grad()
    def code_log_likelihood(self, codes: Codes) -> Float[Tensor, " b"]:
        """log p(codes) of each image, nats."""
        levels = tuple(level.to(self.prior.device) for level in codes)
        return torch.stack(
            [_of_codes(*pair) for pair in zip(self.prior(levels), levels, strict=True)]
        ).sum(0)

    def _uniforms(self, count: int, seed: int, first: int) -> Tensor:
        return uniforms_for(seed, first, count, sum(self.prior.positions), self.prior.device)

    def _chosen(self, temperature: float | None, top_k: int | None) -> dict[str, Any]:
        return {
            "temperature": self.temperature if temperature is None else temperature,
            "top_k": self.top_k if top_k is None else top_k,
        }


def _of_codes(logits: Float[Tensor, "b h w k"], codes: Int[Tensor, "b h w"]) -> Float[Tensor, " b"]:
    log_probs = logits.log_softmax(-1).gather(-1, codes.unsqueeze(-1))
    return log_probs.flatten(1).sum(1)


def from_files(
    vqvae: Path, prior: Path, on: torch.device, *, temperature: float, top_k: int
) -> Generator:
    """The model in two files of a run. Raises `UserError` when one is missing or something else."""
    for path in (vqvae, prior):
        if not path.is_file():
            raise UserError(f"{path}: no such file; run the workflow that makes it, or rarl export")
    models = load_vqvae(vqvae, on), load_prior(prior, device=on)
    return Generator(*models, temperature=temperature, top_k=top_k)
