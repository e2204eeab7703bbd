"""Ancestral sampling of codes from a prior, and the distribution that it samples.

Training, RL and evaluation all draw with `sample` and score with `policy_log_probs`.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rarl.models.incremental import IncrementalPixelCNN
from rarl.models.pixelcnn import PixelCNN
from rarl.runtime import seeds

EXCLUDED = -1.0e4  # a logit whose probability is 0 in float32, yet finite in a loss


def policy_log_probs(
    logits: Float[Tensor, "... k"], temperature: float, top_k: int
) -> Float[Tensor, "... k"]:
    """log of the distribution that is sampled: tempered logits, the `top_k` largest (0: all)."""
    logits = logits / temperature
    if 0 < top_k < logits.shape[-1]:
        least = logits.topk(top_k, -1).values[..., -1:]
        logits = logits.masked_fill(logits < least, EXCLUDED)
    return logits.log_softmax(-1)


@torch.no_grad()
def sample(
    prior: PixelCNN,
    uniforms: Float[Tensor, "b n"],
    *,
    temperature: float,
    top_k: int,
    prefix: Int[Tensor, "b m"] | None = None,
) -> Int[Tensor, "b h w"]:
    """Draws a batch of grids by inverting the cumulative distribution at each position.

    Args:
        uniforms: one number in [0, 1) for each position, so that the draw of a picture depends
            on nothing but its own row (see `uniforms_for`).
        prefix: the first m codes in raster order, given (0 <= m <= n).

    The prior must be in evaluation mode; raises ValueError otherwise, as dropout would make the
    draw differ from what is scored.
    """
    if prior.training:
        raise ValueError("sample() needs the prior in evaluation mode")
    batch, positions = uniforms.shape
    state = IncrementalPixelCNN(prior, batch, prefix)
    for n in range(state.position, positions):
        logits = state.logits()
        state.append(_invert(policy_log_probs(logits, temperature, top_k), uniforms[:, n]))
    return state.codes.view(batch, prior.side, prior.side)


def draw(
    prior: PixelCNN, seed: int, count: int, batch_size: int, *, temperature: float, top_k: int
) -> Iterator[Int[Tensor, "b h w"]]:
    """Pictures 0 to `count` - 1 of a seed, in batches; their size changes no picture's numbers."""
    device = prior.logits.weight.device
    for first in range(0, count, batch_size):
        size = min(batch_size, count - first)
        uniforms = uniforms_for(seed, first, size, prior.side**2, device)
        yield sample(prior, uniforms, temperature=temperature, top_k=top_k)


def _invert(log_probs: Float[Tensor, "b k"], uniform: Float[Tensor, " b"]) -> Int[Tensor, " b"]:
    """The code at which the cumulative distribution passes `uniform`."""
    cumulative = log_probs.exp().cumsum(-1)
    target = uniform.unsqueeze(1) * cumulative[:, -1:]  # rounding leaves the sum near 1, not 1
    return (
        torch.searchsorted(cumulative, target, right=True)
        .squeeze(1)
        .clamp_(max=log_probs.shape[1] - 1)
    )


def uniforms_for(
    seed: int, first: int, count: int, positions: int, device: torch.device
) -> Float[Tensor, "b n"]:
    """Random numbers for pictures `first` to `first + count - 1`, each seeded by its own index.

    How pictures are grouped into batches or spread over jobs changes no number.
    """
    rows = [
        torch.rand(positions, generator=seeds.generator(seed, "picture", index))
        for index in range(first, first + count)
    ]
    return torch.stack(rows).to(device)
