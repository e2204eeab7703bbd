"""Vector quantisation with a codebook that learns by exponential moving averages."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from rarl.runtime import parallel
from rarl.runtime.precision import exact, raised


class Quantized(NamedTuple):
    """What `Quantizer.forward` gives."""

    latents: Tensor  # (B, D, H, W) codebook vectors; gradients pass straight to the input
    codes: Tensor  # (B, H, W) int64
    commitment: Tensor  # () mean squared distance of the input to its codebook vectors


class Quantizer(nn.Module):
    """Replaces each latent vector by the nearest of K codebook vectors.

    The codebook follows the moving averages of van den Oord et al. 2017 (arXiv 1711.00937),
    appendix A.1. It starts from vectors of the first batch, and a code whose average use falls
    below `restart_threshold` vectors a batch is moved onto a random vector of the batch
    (Dhariwal et al. 2020, arXiv 2005.00341, section 3.1), so that the codebook does not collapse.
    """

    codebook: Tensor
    usage: Tensor
    sums: Tensor
    started: Tensor

    def __init__(self, size: int, dim: int, decay: float, restart_threshold: float) -> None:
        super().__init__()
        self.decay, self.restart_threshold = decay, restart_threshold
        self.register_buffer("codebook", torch.zeros(size, dim))  # (K, D)
        self.register_buffer("usage", torch.zeros(size))  # (K,) vectors a batch, averaged
        self.register_buffer("sums", torch.zeros(size, dim))  # (K, D) sums of these vectors
        self.register_buffer("started", torch.tensor(False))

    def forward(self, latents: Float[Tensor, "b d h w"]) -> Quantized:
        """Quantises, and in training mode updates the codebook afterwards."""
        latents = raised(latents)
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

    def nearest(self, flat: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
        """Index of the codebook vector at the least squared distance."""
        with exact(flat):
            distance = self.codebook.square().sum(1) - 2 * flat @ self.codebook.T  # (N, K) + |x|^2
        return distance.argmin(1)

    def embed(self, codes: Int[Tensor, "b h w"]) -> Float[Tensor, "b d h w"]:
        return F.embedding(codes, self.codebook).permute(0, 3, 1, 2)

    @torch.no_grad()
    def _start(self, flat: Tensor) -> None:
        self.codebook.copy_(_draw(flat, len(self.codebook)))
        self.sums.copy_(self.codebook)
        self.usage.fill_(1.0)
        self.started.fill_(True)

    @torch.no_grad()
    def _update(self, flat: Tensor, codes: Tensor) -> None:
        count = torch.bincount(codes, minlength=len(self.usage)).to(flat.dtype)
        total = torch.zeros_like(self.sums).index_add_(0, codes, flat)
        self.usage.lerp_(count, 1 - self.decay)
        self.sums.lerp_(total, 1 - self.decay)
        dead = self.usage < self.restart_threshold
        if dead.any():
            self.sums[dead] = _draw(flat, int(dead.sum()))
            self.usage[dead] = 1.0
        self.codebook.copy_(self.sums / self.usage.clamp(min=1e-5).unsqueeze(1))


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
