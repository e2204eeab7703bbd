"""Do samples lie nearer to the training images than unseen real images do?

Meehan, Chaudhuri & Dasgupta 2020, "A non-parametric test to detect data-copying in generative
models" (arXiv 2004.05675), compare the distances of samples to their nearest training example with
those of held-out examples. They rank all pairs; here the pairs count that lie nearest, as a bad
sample lies far from everything and would hide a copied one. Distances are in feature space, as in
Alaa et al. 2022, "How faithful is your synthetic data? Sample-level metrics for evaluating and
auditing generative models" (arXiv 2102.08921), section 3.3.
"""

from dataclasses import dataclass

from jaxtyping import Float64
from scipy import stats
from torch import Tensor


@dataclass(frozen=True)
class Memorisation:
    """The share of samples that lie no farther from a training image than a threshold, 0 to 1."""

    share: float
    expected: float  # when samples are distributed as held-out images
    low: float  # of the interval that then holds the share
    high: float
    threshold: float  # distance
    samples: int
    held_out: int


def memorisation(
    samples: Float64[Tensor, " n"],
    held_out: Float64[Tensor, " h"],
    quantile: float,
    confidence: float,
) -> Memorisation:
    """Of distances to the nearest training features (`rarl.metrics.nearest`).

    The threshold is the k-th smallest distance of the held-out images, with k = quantile (h + 1)
    rounded, at least 1 and at most h. Without memorising, samples and held-out images are
    exchangeable: then each sample lies below it with probability k / (h + 1), and their number is
    beta-binomial with n trials and parameters k and h - k + 1 (David & Nagaraja 2003, "Order
    statistics", 3rd edition, section 2.3: the number of further observations below an order
    statistic), whatever the distribution of the distances is, if it is continuous. Where held-out
    images tie at the threshold (exact duplicates of training images are all at 0), all of them
    count in k.

    The interval holds the share with probability `confidence` or more, with equal tails: it allows
    for chance on both sides, but not for the choice of the training set. A share above it tells of
    copying; one below it, of samples unlike real images.

    Both quantile and confidence lie between 0 and 1. Raises `ValueError` when they don't, a side is
    empty, or a distance is no number.
    """
    n, h = len(samples), len(held_out)
    if not (0 < quantile < 1 and 0 < confidence < 1):
        raise ValueError(f"quantile {quantile} and confidence {confidence} must be in (0, 1)")
    if not (n and h):
        raise ValueError(f"{n} samples and {h} held-out images: neither may be none")
    if samples.isnan().any() or held_out.isnan().any():
        raise ValueError("distances hold NaN")
    threshold = held_out.sort().values[min(max(round(quantile * (h + 1)), 1), h) - 1]
    k = int((held_out <= threshold).sum())
    number = stats.betabinom(n, k, h - k + 1)
    tail = (1 - confidence) / 2
    return Memorisation(
        share=float((samples <= threshold).double().mean()),
        expected=k / (h + 1),
        low=float(number.ppf(tail)) / n,
        high=float(number.isf(tail)) / n,
        threshold=float(threshold),
        samples=n,
        held_out=h,
    )
