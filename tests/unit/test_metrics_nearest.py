"""Nearest neighbours against all distances, written out."""

import pytest
import torch

from rarl.metrics import nearest
from rarl.metrics.nearest import nearest_distances


def rows(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 7, generator=torch.Generator().manual_seed(seed)) + 3


@pytest.mark.parametrize("block", [1, 4, 13, 100])
def test_distances_are_the_smallest_of_all_whatever_the_blocks(block, monkeypatch):
    monkeypatch.setattr(nearest, "BLOCK", block)
    a, b = rows(11, 0), rows(26, 1)
    expected = (a[:, None].double() - b.double()).norm(dim=2).min(1).values
    torch.testing.assert_close(nearest_distances(a, b), expected, rtol=1e-14, atol=0)


def test_equal_rows_are_at_exactly_zero():
    """|a|^2 + |b|^2 - 2 ab alone would leave about 1e-7 here."""
    among = 1000 * rows(50, 2)
    assert nearest_distances(among[::5], among).tolist() == [0.0] * 10


def test_memory_is_that_of_a_block(monkeypatch):
    monkeypatch.setattr(nearest, "BLOCK", 8)
    sizes = []
    within = nearest._of_block

    def seen(block: torch.Tensor, among: torch.Tensor) -> torch.Tensor:
        sizes.append(len(block))
        return within(block, among)

    monkeypatch.setattr(nearest, "_of_block", seen)
    nearest_distances(rows(20, 3), rows(30, 4))
    assert sizes == [8, 8, 4]


def test_nothing_to_compare_with_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        nearest_distances(rows(3, 5), rows(0, 5))
    assert len(nearest_distances(rows(0, 5), rows(3, 5))) == 0
