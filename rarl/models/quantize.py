"""Vector quantisation with a codebook that learns by exponential moving averages."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rarl.runtime import parallel
from rarl.runtime.precision import exact, upcast

DISTANCES = 2**24  # that are held at once in a search: 64 MiB


class Quantized(NamedTuple):
    """What `Quantizer.forward` gives."""

    latents: Tensor  # (B, D, H, W) codebook vectors; gradients pass straight to the input
    codes: Tensor  # (B, H, W) int64
    commitment: Tensor  # () mean squared distance of the input to its codebook vectors


class Quantizer(nn.Module):
    """Replaces each latent vector by the nearest of K codebook vectors.

    The codebook follows the moving averages of van den Oord et al. 2017 (arXiv 1711.00937),
    appendix A.1. It starts from vectors of the first batch. A code whose average use falls below
    `restart_threshold` of a uniform code's, that is of N / K vectors a batch of N, is moved onto a
    random vector of the batch (Dhariwal et al. 2020, arXiv 2005.00341, section 3.1), so that the
    codebook does not collapse.

    With `unit_length`, latent and codebook vectors are divided by their lengths, so that the
    nearest one has the largest cosine (Yu et al. 2022, arXiv 2110.04627, section 3.2).
    """

    codebook: Tensor
    usage: Tensor
    sums: Tensor
    started: Tensor

    def __init__(
        self, size: int, dim: int, decay: float, restart_threshold: float, *, unit_length: bool
    ) -> None:
        super().__init__()
        self.decay, self.restart_threshold = decay, restart_threshold
        self.unit_length = unit_length
        self.register_buffer("codebook", torch.zeros(size, dim))  # (K, D)
        self.register_buffer("usage", torch.zeros(size))  # (K,) vectors a batch, averaged
        self.register_buffer("sums", torch.zeros(size, dim))  # (K, D) sums of these vectors
        self.register_buffer("started", torch.tensor(False))

    def forward(self, latents: Float[Tensor, "b d h w"]) -> Quantized:
        """Quantises, and in training mode updates the codebook afterwards."""
        latents = self._scaled(upcast(latents))
        flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])  # (N, D)
        if self.training and not self.started:
            self._start(parallel.gather(flat.detach()))
        codes = self.nearest(flat)  # (N,)
        b, _, h, w = latents.shape
        grid = codes.view(b, h, w)
        nearest = self.embed(grid)
        commitment = F.mse_loss(latents, nearest)
        if self.training:
            self._update(parallel.gather(flat.detach()), parallel.gather(codes))
        return Quantized(latents + (nearest - latents).detach(), grid, commitment)

    @torch.no_grad()
    def nearest(self, flat: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
        """Index of the codebook vector at the least squared distance, block by block."""
        squares = self.codebook.square().sum(1)
        blocks = flat.split(max(1, DISTANCES // len(self.codebook)))
        return torch.cat([self._nearest(block, squares) for block in blocks])

    def _nearest(self, block: Tensor, squares: Tensor) -> Tensor:
        """As `nearest`, given |e|^2 of the codebook vectors e: |x - e|^2 = |x|^2 + |e|^2 - 2xe."""
        with exact(block):
            distances = (-2 * block) @ self.codebook.T  # (n, K)
        distances += squares  # all but |x|^2, which decides nothing
        return distances.argmin(1)

    def embed(self, codes: Int[Tensor, "b h w"]) -> Float[Tensor, "b d h w"]:
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)

    @torch.no_grad()
    def _start(self, flat: Tensor) -> None:
        self._restart(flat, torch.ones_like(self.usage, dtype=torch.bool))
        self.codebook.copy_(self._scaled(self.sums / self.usage.unsqueeze(1)))
        self.started.fill_(True)

    @torch.no_grad()
    def _update(self, flat: Tensor, codes: Tensor) -> None:
        count = torch.bincount(codes, minlength=len(self.usage)).to(flat.dtype)
        total = torch.zeros_like(self.sums).index_add_(0, codes, flat)
        self.usage.lerp_(count, 1 - self.decay)
        self.sums.lerp_(total, 1 - self.decay)
        dead = self.usage < self._least_usage(flat)
        if dead.any():
            self._restart(flat, dead)
        self.codebook.copy_(self._scaled(self.sums / self.usage.clamp(min=1e-5).unsqueeze(1)))

    def _scaled(self, vectors: Tensor) -> Tensor:
        """Vectors along dimension 1, of unit length where all are."""
        return F.normalize(vectors) if self.unit_length else vectors

    def _least_usage(self, flat: Tensor) -> float:
        """Vectors a batch below which a code is dead, given a batch of all processes."""
        return self.restart_threshold * len(flat) / len(self.codebook)

    def _restart(self, flat: Tensor, codes: Tensor) -> None:
        """Moves some codes onto vectors of the batch.

        Each counts as one vector a batch, which the vectors to come soon outweigh; but as no less
        than twice what a dead code has, so that it has time to be used.
        """
        usage = max(1.0, 2 * self._least_usage(flat))
        self.sums[codes] = usage * _draw(flat, int(codes.sum()))
        self.usage[codes] = usage


def _draw(flat: Tensor, count: int) -> Tensor:
    """`count` random rows; with a little noise, since the rows may be fewer than that."""
    rows = flat[torch.randint(len(flat), (count,), device=flat.device)]
    return rows + 1e-3 * flat.std() * torch.randn_like(rows)


def perplexity(codes: Int[Tensor, "..."], size: int) -> float:
    """exp of the entropy of the codes' histogram: 1 (collapsed) to `size` (uniform)."""
    share = torch.bincount(codes.flatten(), minlength=size).double() / codes.numel()
    return float(torch.special.entr(share).sum().exp())


def share_in_use(codes: Int[Tensor, "..."], size: int) -> float:
    """Share of the codebook that occurs in the codes, 0 to 1."""
    return codes.unique().numel() / size
