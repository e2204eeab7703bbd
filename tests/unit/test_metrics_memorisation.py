"""The share of samples near training images: copies, far samples, and what chance gives."""

from math import comb

import numpy as np
import pytest
import torch

from rarl.metrics.memorisation import memorisation
from rarl.metrics.nearest import nearest_distances


def points(n: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(n, 4, generator=generator)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def of(samples, held_out, train, quantile=0.1, confidence=0.95):
    distances = (nearest_distances(rows, train) for rows in (samples, held_out))
    return memorisation(*distances, quantile, confidence)


def test_copies_give_one_and_far_samples_none(generator):
    train, held_out = points(200, generator), points(100, generator)
    copies = of(train[:50], held_out, train)
    assert copies.share == 1 > copies.high
    far = of(train[:50] + 100, held_out, train)
    assert far.share == 0
    assert (copies.samples, copies.held_out) == (50, 100)


def test_some_copies_among_good_samples_are_seen(generator):
    train, held_out = points(500, generator), points(500, generator)
    samples = torch.cat([train[:60], points(240, generator)])
    found = of(samples, held_out, train, quantile=0.05)
    assert found.share > found.high
    assert found.share == pytest.approx(60 / 300 + 0.05 * 240 / 300, abs=0.04)


@pytest.mark.parametrize(("quantile", "n", "h"), [(0.05, 100, 60), (0.5, 30, 200), (0.01, 50, 20)])
def test_samples_of_the_same_distribution_give_the_expected_share(generator, quantile, n, h):
    """The mean over 400 trials is the expectation; the interval holds as many as it says."""
    shares, inside = [], 0
    for _ in range(400):
        train = points(50, generator)
        found = of(points(n, generator), points(h, generator), train, quantile, 0.9)
        shares.append(found.share)
        inside += found.low <= found.share <= found.high
    mean, error = np.mean(shares), np.std(shares) / 20
    assert mean == pytest.approx(found.expected, abs=4 * error)
    assert inside / 400 > 0.9 - 4 * (0.09 / 400) ** 0.5


def test_the_interval_is_that_of_ranks():
    """By counting: of all orders of n + h values, those with j samples below the k-th held out."""
    n, h, k = 6, 9, 3
    orders = comb(n + h, n)
    chance = [comb(j + k - 1, j) * comb(n - j + h - k, n - j) / orders for j in range(n + 1)]
    assert sum(chance) == pytest.approx(1)
    found = memorisation(
        torch.full((n,), 5.0).double(), torch.arange(1.0, h + 1).double(), k / (h + 1), 0.8
    )
    assert found.threshold == 3
    assert found.expected == k / (h + 1)
    assert found.expected == pytest.approx(sum(j * p for j, p in enumerate(chance)) / n)
    assert found.low == next(j for j in range(n + 1) if sum(chance[: j + 1]) >= 0.1) / n
    assert found.high == next(j for j in range(n, -1, -1) if sum(chance[j:]) > 0.1) / n


def test_held_out_copies_count_together():
    """Five of ten are duplicates of training images: half of good samples are expected to be."""
    held_out = torch.tensor([0.0] * 5 + [1.0, 2.0, 3.0, 4.0, 5.0]).double()
    found = memorisation(torch.tensor([0.0, 0.0, 1.0, 2.0]).double(), held_out, 0.1, 0.9)
    assert found.threshold == 0
    assert found.share == 0.5
    assert found.expected == 5 / 11


def test_what_has_no_share_is_refused():
    some, none = torch.ones(3).double(), torch.ones(0).double()
    for quantile, confidence in ((0, 0.9), (1, 0.9), (0.5, 1)):
        with pytest.raises(ValueError, match="must be in"):
            memorisation(some, some, quantile, confidence)
    for pair in ((some, none), (none, some)):
        with pytest.raises(ValueError, match="neither may be none"):
            memorisation(*pair, 0.5, 0.9)
    with pytest.raises(ValueError, match="NaN"):
        memorisation(some * torch.nan, some, 0.5, 0.9)
