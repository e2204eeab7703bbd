"""Real images held out of the reference."""

import numpy as np
import pytest
import torch

from rarl.metrics.floor import hold_out, real_floor

N, D = 2500, 8


def rows(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, D, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_two_parts_are_all_images_once():
    features = rows(N, 0)
    found = hold_out(features, 700, generator(1))
    assert len(found.features) == 700
    assert found.reference.count == N - 700
    out = {tuple(row) for row in found.features.tolist()}
    rest = np.array([row for row in features.tolist() if tuple(row) not in out])
    assert len(rest) == N - 700
    np.testing.assert_allclose(found.reference.mean, rest.mean(0), rtol=1e-10)
    np.testing.assert_allclose(found.reference.covariance, np.cov(rest, rowvar=False), rtol=1e-10)


def test_the_choice_is_the_generators():
    features = rows(100, 0)
    one, same, other = (hold_out(features, 40, generator(seed)).features for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_floor_falls_with_the_number_and_other_images_lie_above_it():
    """Of real images alone chance is left: for d features of n images about d (d + 5) / 4n.

    Delta method about N(0, I): d / n of the mean, and a quarter of the squared error of the
    covariance, d (d + 1) / n; and the same once more of the reference, with its own number.
    """
    floors = {}
    for count in (100, 400):
        found = [hold_out(rows(N, seed), count, generator(seed)) for seed in range(20)]
        floors[count] = np.mean([real_floor(of.features, of.reference) for of in found])
        expected = (D + D * (D + 1) / 4) * (1 / count + 1 / (N - count))
        assert floors[count] == pytest.approx(expected, rel=0.15)
    assert real_floor(1.2 * rows(400, 99), found[0].reference) > 1.5 * floors[400]


def test_a_side_without_a_covariance_is_refused():
    for count in (0, 1, 99, 100, 101):
        with pytest.raises(ValueError, match=f"{count} of 100 images"):
            hold_out(rows(100, 0), count, generator(0))
