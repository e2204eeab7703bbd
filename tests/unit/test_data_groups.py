"""Oracle: the definition, group by group, in plain Python."""

import numpy as np
import pytest

from rarl.data.groups import last_groups, ranks_of


def test_ranks_follow_the_hashes() -> None:
    hashes = np.array([7, 2**64 - 1, 7, 0, 2**63], np.uint64)
    assert ranks_of(hashes).tolist() == [1, 3, 1, 0, 2]


@pytest.mark.parametrize("count", [1, 9, 50, 120, 199, 10_000])
def test_the_nearest_number_of_whole_groups_from_the_end(count: int) -> None:
    ranks = ranks_of(np.random.default_rng(0).integers(0, 30, 200).astype(np.uint64))
    groups = sorted(set(ranks.tolist()))
    out = last_groups(ranks, count)
    assert 0 < out.sum() < len(ranks)
    assert not set(ranks[out]) & set(ranks[~out])
    assert ranks[out].min() > ranks[~out].max()
    possible = [int((ranks >= first).sum()) for first in groups[1:]]
    assert abs(int(out.sum()) - count) == min(abs(size - count) for size in possible)


def test_single_images_are_held_out_exactly() -> None:
    ranks = ranks_of(np.random.default_rng(0).permutation(50).astype(np.uint64))
    assert last_groups(ranks, 12).sum() == 12


def test_one_group_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="one group"):
        last_groups(np.zeros(5, np.int64), 2)
