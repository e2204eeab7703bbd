"""Real images in the place of samples: held out of the reference, whole groups of them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rarl.models.codes import CodeSet, save_codes
from rarl.models.real_images import real_images, reference_codes, reference_images
from rarl.runtime.errors import UserError

RANKS = [0, 0, 1, 2, 2, 2, 3, 4, 4, 5]  # of ten images in six groups


@pytest.fixture
def codes(tmp_path: Path) -> Path:
    """Each image's codes are its own number."""
    levels = tuple(torch.arange(10).view(10, 1, 1).expand(10, side, side) for side in (1, 2))
    path = tmp_path / "codes"
    save_codes(path, {"train": CodeSet(levels, 16)}, {}, torch.tensor(RANKS))
    return path


def numbers(codes: CodeSet) -> list[int]:
    assert (codes.grids[1] == codes.grids[0]).all()  # the levels are of the same images
    return codes.grids[0].flatten().tolist()


@pytest.mark.parametrize(("count", "held_out"), [(1, [9]), (3, [7, 8, 9]), (4, [6, 7, 8, 9])])
def test_held_out_are_the_last_groups_and_the_reference_is_the_rest(codes, count, held_out):
    kept = [n for n in range(10) if n not in held_out]
    found = real_images(codes, count)
    assert numbers(found.held_out) == held_out
    assert numbers(found.kept) == kept == numbers(reference_codes(codes, count))
    assert reference_images(np.array(RANKS), count).tolist() == kept


def test_about_half_of_the_images_are_held_out_at_most(codes):
    assert numbers(real_images(codes, 6).held_out) == [6, 7, 8, 9]  # 4 or 7 are nearest to 5
    assert numbers(real_images(codes, 100).held_out) == [6, 7, 8, 9]


def test_without_held_out_images_the_reference_is_all(codes):
    assert numbers(reference_codes(codes, 0)) == list(range(10))


def test_codes_without_groups_are_refused(tmp_path):
    save_codes(tmp_path / "codes", {"train": CodeSet((torch.zeros(4, 1, 1).long(),), 2)}, {})
    with pytest.raises(UserError, match="holds no groups of images"):
        real_images(tmp_path / "codes", 2)
