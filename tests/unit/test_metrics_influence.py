"""The influence of an image against what changing its weight does to the distance."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from rarl.metrics.frechet import frechet_distance
from rarl.metrics.influence import Influence, Reference

D = 5


@dataclass
class Moments:
    mean: np.ndarray
    covariance: np.ndarray


def weighted(x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance (ddof = 0) of rows with weights that sum to 1."""
    mean = weights @ x
    return mean, (x - mean).T @ (weights.unsqueeze(1) * (x - mean))


def distance(moments: tuple[Tensor, Tensor], reference: Moments) -> float:
    return frechet_distance(Moments(*(part.numpy() for part in moments)), reference)


def influence_of(rows: Tensor, reference: Moments) -> tuple[Tensor, Influence]:
    """Of rows with equal weights; and the weights."""
    even = torch.full((len(rows),), 1 / len(rows), dtype=torch.float64)
    return even, Influence.of(*weighted(rows, even), Reference(reference, torch.device("cpu")))


@pytest.fixture
def rows() -> Tensor:
    return torch.randn(40, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(params=[D, 3], ids=["full rank", "rank 3"])
def reference(request: pytest.FixtureRequest) -> Moments:
    """A little aside, and wider in some directions; data on a plane, too."""
    random = np.random.default_rng(1)
    root = random.normal(size=(D, request.param))
    return Moments(random.normal(size=D), root @ root.T)


def test_it_is_the_derivative_by_a_points_weight(rows: Tensor, reference: Moments):
    even, influence = influence_of(rows, reference)
    got, step = influence(rows), 1e-6
    assert float(influence.distance) == pytest.approx(distance(weighted(rows, even), reference))
    for n in range(len(rows)):
        point = torch.zeros_like(even)
        point[n] = 1
        above, below = (
            distance(weighted(rows, (1 - e) * even + e * point), reference) for e in (step, -step)
        )
        assert float(got[n]) == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-4)


def test_its_mean_over_the_distribution_is_zero(rows: Tensor, reference: Moments):
    _, influence = influence_of(rows, reference)
    assert float(influence(rows).mean()) == pytest.approx(0, abs=1e-9)


def test_it_ranks_as_leaving_one_out(reference: Moments):
    """With many points, what one takes off the distance when it is left out, times their number."""
    rows = torch.randn(2000, D, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    even, influence = influence_of(rows, reference)
    whole = weighted(rows, even)
    some = range(0, 2000, 100)
    left_out = []
    for n in some:
        without = torch.full((2000,), 1 / 1999, dtype=torch.float64)
        without[n] = 0
        gain = distance(whole, reference) - distance(weighted(rows, without), reference)
        left_out.append(2000 * gain)
    np.testing.assert_allclose(influence(rows)[list(some)], left_out, rtol=0.05, atol=0.02)


def test_places_share_a_rows_influence_exactly(rows: Tensor, reference: Moments):
    maps = rows.unsqueeze(-1) + torch.randn(40, D, 6, dtype=torch.float64)
    _, influence = influence_of(rows, reference)
    places = influence.places(maps)
    assert places.shape == (40, 6)
    torch.testing.assert_close(places.mean(1), influence(maps.mean(-1)))
    assert places.std(1).min() > 0.01
