"""Precision, recall and KID against their definitions, written out."""

import pytest
import torch

from rarl.metrics.neighbours import kernel_distance, precision_recall, spread


def covered(points: torch.Tensor, by: torch.Tensor, k: int) -> float:
    """Share of points that lie within the k-th neighbour's distance of one of `by`."""
    inside = []
    for point in points:
        hit = False
        for centre in by:
            distances = sorted(float((centre - other).norm()) for other in by)
            radius = distances[k]  # the 0th is the centre itself
            hit = hit or float((point - centre).norm()) <= radius
        inside.append(hit)
    return sum(inside) / len(inside)


def test_precision_and_recall_are_their_definitions():
    torch.manual_seed(0)
    samples, real = torch.randn(20, 3) * 0.5 + 0.7, torch.randn(20, 3)
    precision, recall = precision_recall(samples, real, 3)
    assert precision == pytest.approx(covered(samples, real, 3))
    assert recall == pytest.approx(covered(real, samples, 3))
    assert 0 < recall < precision <= 1


def test_a_set_covers_itself_and_nothing_far_away():
    real = torch.randn(30, 4)
    assert precision_recall(real, real, 3) == (1.0, 1.0)
    assert precision_recall(real + 1000, real, 3) == (0.0, 0.0)


def test_the_kernel_distance_is_the_unbiased_squared_mmd():
    torch.manual_seed(0)
    a, b = torch.randn(6, 3).double(), torch.randn(6, 3).double() + 1

    def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (x @ y.T / 3 + 1) ** 3

    def off_diagonal(matrix: torch.Tensor) -> torch.Tensor:
        return (matrix.sum() - matrix.trace()) / (6 * 5)

    expected = off_diagonal(kernel(a, a)) + off_diagonal(kernel(b, b)) - 2 * kernel(a, b).mean()
    assert kernel_distance(a, b, subsets=3, subset_size=6) == pytest.approx(float(expected))


def test_rows_are_spread_evenly():
    features = torch.arange(10.0).unsqueeze(1)
    assert spread(features, 4).flatten().tolist() == [0, 3, 6, 9]
    assert spread(features, 10).flatten().tolist() == list(range(10))
