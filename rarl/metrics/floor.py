"""The distance that real images have: what no generator gets below, with so few samples."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from rarl.metrics.feature_files import moments_of
from rarl.metrics.frechet import Gaussian, frechet_distance
from rarl.metrics.moments import Moments


@dataclass(frozen=True)
class HeldOut:
    """Features of real images in two parts that share no image."""

    features: Float[Tensor, "n d"]  # in the place of samples
    reference: Moments  # of all others: what every distance is taken to


def hold_out(features: Float[Tensor, "m d"], count: int, generator: torch.Generator) -> HeldOut:
    """Holds `count` images out, chosen at random: evenly spaced ones would differ too little.

    Raises `ValueError` unless at least two are left on either side, as a covariance needs.
    """
    left = len(features) - count
    if count < 2 or left < 2:
        raise ValueError(f"{count} of {len(features)} images cannot be held out")
    order = torch.randperm(len(features), generator=generator)
    out, kept = order[:count].sort().values, order[count:].sort().values
    return HeldOut(features[out], moments_of(features[rows] for rows in kept.split(1000)))


def real_floor(held_out: Float[Tensor, "n d"], reference: Gaussian) -> float:
    """The Frechet distance of held-out real images to the moments of the other real images.

    Its expectation is above 0, as that of few samples is biased upwards (Chong & Forsyth 2020,
    arXiv 1911.07023). It is a floor for samples of the same number n against the same reference, of
    which no row of `held_out` may be a part.
    """
    return frechet_distance(moments_of([held_out]), reference)
