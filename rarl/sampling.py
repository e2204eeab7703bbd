"""Ancestral sampling of codes from a prior, and the distribution that it samples.

Training, RL and evaluation all draw with `sample`; RL scores with `policy_log_probs`.
"""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rarl.models import recorded
from rarl.models.codes import Codes
from rarl.models.level_prior import ALL_ROWS, LevelPrior, Sampler
from rarl.models.prior import CodePrior
from rarl.runtime import cuda_graph, seeds
from rarl.runtime.precision import cast_weights

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


@torch.inference_mode(False)  # what is kept for the next call may be changed there, too
@torch.no_grad()
def sample(
    prior: CodePrior,
    uniforms: Float[Tensor, "b n"],
    *,
    temperature: float,
    top_k: int,
    context: Codes | None = None,
    rows: Sequence[slice] | None = None,
) -> Codes:
    """Draws the codes of a batch of images, grid after grid, coarse to fine.

    Each position's cumulative distribution is inverted at its own number.

    Args:
        uniforms: one number in [0, 1) for each position of each grid, so that the draw of a
            image depends on nothing but its own row (see `uniforms_for`).
        context: codes of other images; only `rows` of each grid are drawn, given the context
            above them and the grids drawn before; the rows below stay the context's.

    The prior must be in evaluation mode; raises ValueError otherwise, as dropout would make the
    draw differ from what is scored, and for arguments that make no sense.
    """
    if prior.training:
        raise ValueError("sample() needs the prior in evaluation mode")
    if not temperature > 0 or top_k < 0:
        raise ValueError(f"temperature={temperature} must be above 0 and top_k={top_k} not below")
    if rows is not None and context is None:
        raise ValueError("rows need a context around them")

    drawn: list[Tensor] = []
    numbered = zip(prior.levels.items(), uniforms.split(prior.positions, 1), strict=True)
    for (level, network), flat in numbered:
        numbers = flat.unflatten(1, (network.side, network.side))  # (B, H, W)
        given = context[level] if context else torch.zeros_like(numbers, dtype=torch.long)
        first, last, _ = (rows[level] if rows else ALL_ROWS).indices(network.side)
        if first < last:
            state = _sampler(network, len(numbers), uniforms, temperature, top_k)
            state.begin(given[:, :first], drawn[-1] if drawn else None, until=last)
            for row in range(first, last):
                state.draw_row(numbers[:, row])
            given = torch.cat((state.codes[:, :last], given[:, last:]), 1)
        drawn.append(given)
    return tuple(drawn)


def _sampler(
    network: LevelPrior, batch: int, like: Tensor, temperature: float, top_k: int
) -> Sampler:
    """One for a batch of images: on a GPU the one that was recorded before, where there is one."""

    def choose(logits: Tensor, numbers: Tensor) -> Tensor:
        return invert(policy_log_probs(logits, temperature, top_k), numbers)

    if not cuda_graph.usable(like.device):
        cast: LevelPrior = cast_weights(network, like, but=network.last_layer)
        return cast.sampler(choose, batch)
    copy = recorded.refreshed(network, like)
    key = (batch, temperature, top_k)
    return copy.sampler(key, lambda of: of.sampler(choose, batch, recorded=True))


def draw(
    prior: CodePrior,
    seed: int,
    count: int,
    batch_size: int,
    *,
    temperature: float,
    top_k: int,
    first: int = 0,
) -> Iterator[Codes]:
    """Images `first` to `count` - 1 of a seed, in batches, which change no image's numbers."""
    for start in range(first, count, batch_size):
        size = min(batch_size, count - start)
        uniforms = uniforms_for(seed, start, size, sum(prior.positions), prior.device)
        yield sample(prior, uniforms, temperature=temperature, top_k=top_k)


def invert(log_probs: Float[Tensor, "b k"], uniform: Float[Tensor, " b"]) -> Int[Tensor, " b"]:
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
    """Random numbers for images `first` to `first + count - 1`, each seeded by its own index.

    How images are grouped into batches or spread over jobs changes no number.
    """
    rows = [
        torch.rand(positions, generator=seeds.generator(seed, "picture", index))
        for index in range(first, first + count)
    ]
    return torch.stack(rows).to(device)
