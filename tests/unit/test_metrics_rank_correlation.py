"""How well a reward ranks: on rewards whose answer is known."""

import numpy as np
import pytest
import torch

from rarl.metrics.feature_files import moments_of
from rarl.metrics.frechet import frechet_distance
from rarl.metrics.influence import Influence, Reference
from rarl.metrics.rank_correlation import (
    best_of_groups,
    distances_of_best,
    reward_rank_correlation,
)

N, D = 4000, 6
SIZES = (1, 2, 4, 8)


def rows(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def reference():
    return moments_of([rows(5000, 1)])


@pytest.fixture(scope="module")
def features() -> torch.Tensor:
    """Of a generator with a wrong mean and too wide in some directions."""
    return rows(N, 2) * torch.tensor([2, 2, 1.5, 1, 1, 1]).double() + 0.5


@pytest.fixture(scope="module")
def influence(features, reference) -> torch.Tensor:
    of = moments_of([features])
    mean, covariance = torch.from_numpy(of.mean), torch.from_numpy(of.covariance)
    return Influence.of(mean, covariance, Reference(reference, torch.device("cpu")))(features)


def test_only_the_order_counts(influence):
    assert reward_rank_correlation(-influence, influence) == pytest.approx(1)
    assert reward_rank_correlation((-influence / 10).exp(), influence) == pytest.approx(1)
    assert reward_rank_correlation(influence, influence) == pytest.approx(-1)


def test_it_is_spearmans_formula():
    """1 - 6 sum(d^2) / (n (n^2 - 1)) with ranks d apart: here 0, 2, 1, 1."""
    reward, influence = torch.tensor([1.0, 4.0, 2.0, 3.0]), torch.tensor([-1.0, -2.0, -3.0, -4.0])
    assert reward_rank_correlation(reward, influence) == pytest.approx(1 - 6 * 6 / (4 * 15))


def test_a_random_reward_ranks_nothing_and_gains_nothing(features, reference, influence):
    reward = rows(N, 3)[:, 0]
    assert abs(reward_rank_correlation(reward, influence)) < 4 / N**0.5
    found = distances_of_best(features, reward, reference, SIZES)
    assert list(found) == list(SIZES)
    for distance in found.values():
        assert distance == pytest.approx(found[1], rel=0.25)


def test_minus_the_influence_gains(features, reference, influence):
    found = distances_of_best(features, -influence, reference, SIZES)
    assert found[2] < 0.5 * found[1]


def test_keeping_the_worst_loses(features, reference, influence):
    found = distances_of_best(features, influence, reference, SIZES)
    assert found[1] < found[2] < found[4] < found[8]


def test_every_group_size_keeps_as_many(features, reference):
    reward = torch.arange(20.0)  # the last of each group is the best
    found = distances_of_best(features[:20], reference=reference, reward=reward, group_sizes=(1, 4))
    for size, chosen in ((1, [0, 1, 2, 3, 4]), (4, [3, 7, 11, 15, 19])):
        expected = frechet_distance(moments_of([features[chosen]]), reference)
        assert found[size] == expected


def test_the_best_of_each_group_is_found():
    reward = torch.tensor([1.0, 3.0, 2.0, 5.0, 5.0, 4.0])
    assert best_of_groups(reward, 3).tolist() == [1, 3]
    assert best_of_groups(reward, 2).tolist() == [1, 3, 4]
    assert best_of_groups(reward, 1).tolist() == list(range(6))


def test_what_has_no_order_is_refused(features, reference):
    rising = torch.arange(4.0)
    for reward in (torch.ones(4), torch.tensor([1.0, np.nan, 2.0, 3.0])):
        with pytest.raises(ValueError, match="the reward of 4 samples"):
            reward_rank_correlation(reward, rising)
    with pytest.raises(ValueError, match="the influence of 4 samples"):
        reward_rank_correlation(rising, torch.ones(4))
    with pytest.raises(ValueError, match="too few"):
        distances_of_best(features[:7], rows(7, 0)[:, 0], reference, (4,))
