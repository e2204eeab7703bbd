"""The Frechet distance of infinitely many samples, from what few of them give.

Chong & Forsyth 2020, "Effectively unbiased FID and Inception score and where to find them"
(arXiv 1911.07023): the expected distance of N samples is that of infinitely many plus a bias of
about c / N, where c depends on the generator. So a line through the distances of several N, over
1 / N, meets 1 / N = 0 at the distance without bias. The other side, the reference, stays as it is:
the bias of its own number remains.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rarl.metrics.feature_files import moments_of
from rarl.metrics.frechet import Gaussian, frechet_distance


def extrapolated_distance(
    features: Float[Tensor, "n d"],
    reference: Gaussian,
    counts: Sequence[int],
    generator: torch.Generator,
) -> float:
    """The distance to `reference` at 1 / N = 0; may be a little below 0.

    Each count takes as many rows, chosen at random without replacement. Its moments cost O(N d^2)
    and its distance O(d^3). For a bias of c / N, counts must be well above d. Raises `ValueError`
    when a count is larger than n, smaller than 2, or when fewer than two differ.
    """
    if max(counts) > len(features) or min(counts) < 2:
        raise ValueError(f"counts {list(counts)} must be from 2 to {len(features)}, all rows")
    distances = []
    for count in counts:
        chosen = torch.randperm(len(features), generator=generator)[:count]
        distances.append(frechet_distance(moments_of(features[chosen].split(1000)), reference))
    return intercept(counts, distances)


def even_counts(smallest: int, largest: int, number: int) -> list[int]:
    """Numbers of samples, evenly spaced, as the paper chooses them (15, from 5,000 to 50,000)."""
    return [round(float(count)) for count in np.linspace(smallest, largest, number)]


def intercept(counts: Sequence[int], distances: Sequence[float]) -> float:
    """Where the least-squares line of distances over 1 / N meets 0 (Chong & Forsyth, section 3)."""
    if len(set(counts)) < 2:
        raise ValueError(f"a line needs two different counts, not {list(counts)}")
    _, at_zero = np.polyfit([1 / count for count in counts], distances, 1)
    return float(at_zero)
