"""The distance of infinitely many samples, of Gaussians whose distance is known."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from rarl.metrics.extrapolation import even_counts, extrapolated_distance, intercept
from rarl.metrics.feature_files import moments_of
from rarl.metrics.frechet import frechet_distance

D = 20


@dataclass
class Normal:
    mean: np.ndarray
    covariance: np.ndarray


def samples(n: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, D, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_gaussians_of_known_distance(shift):
    """N(0, I) and N(shift, 4 I): |m|^2 + d (2 - 1)^2. And N(0, I) twice: 0."""
    variance = 4.0 if shift else 1.0
    reference = Normal(np.full(D, shift), variance * np.eye(D))
    exact = D * shift**2 + D * (variance**0.5 - 1) ** 2
    counts = even_counts(500, 4000, 8)
    raw, found = [], []
    for seed in range(10):
        rows = samples(4000, seed)
        raw.append(frechet_distance(moments_of([rows[:500]]), reference))
        generator = torch.Generator().manual_seed(seed)
        found.append(extrapolated_distance(rows, reference, counts, generator))
    error = np.std(found) / np.sqrt(10)
    assert abs(np.mean(found) - exact) < max(3 * error, 0.01)
    bias = np.mean(raw) - exact
    assert bias > 0.1
    assert abs(np.mean(found) - exact) < 0.1 * bias


def test_a_bias_of_c_over_n_is_taken_off_exactly():
    counts = [100, 250, 400, 1000]
    assert intercept(counts, [7 + 300 / n for n in counts]) == pytest.approx(7, rel=1e-12)


def test_it_is_what_the_rows_decide():
    rows, reference = samples(300, 0), Normal(np.zeros(D), np.eye(D))
    one, same, other = (
        extrapolated_distance(rows, reference, [100, 200, 300], torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_counts_are_evenly_spaced():
    assert even_counts(5000, 50000, 4) == [5000, 20000, 35000, 50000]


def test_counts_that_draw_no_line_are_refused():
    rows, reference = samples(30, 0), Normal(np.zeros(D), np.eye(D))
    generator = torch.Generator()
    for counts in ([10, 31], [1, 30]):
        with pytest.raises(ValueError, match="must be from 2 to 30"):
            extrapolated_distance(rows, reference, counts, generator)
    with pytest.raises(ValueError, match="two different counts"):
        extrapolated_distance(rows, reference, [20, 20], generator)
