"""The training images that all are compared with, and those that are held out of them.

The latter stand in the place of samples: whole groups of images, so that no sibling of one is on
the other side.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rarl.data.groups import last_groups
from rarl.models.code_groups import HeldOut, hold_out_of_file, load_train_ranks
from rarl.models.codes import CodeSet, load_codes

MOST = 0.5  # of the training images: the reference needs the others


def real_images(codes: Path, held_out: int) -> HeldOut:
    """The training codes in both parts.

    About `held_out` images are held out, as groups allow; about `MOST` of all where that is less.
    Raises `UserError` when the file holds no groups, or one alone.
    """
    return hold_out_of_file(codes, _at_most(held_out, len(load_train_ranks(codes))))


def reference_codes(codes: Path, held_out: int) -> CodeSet:
    """The training codes that are compared with: all, where none are held out."""
    return real_images(codes, held_out).kept if held_out else load_codes(codes)["train"]


def reference_images(ranks: NDArray[np.int64], held_out: int) -> NDArray[np.int64]:
    """(n,): indices of the training images that are compared with; the same as `reference_codes`.

    `ranks`: (m,), of each image's group.
    """
    return np.flatnonzero(~last_groups(ranks, _at_most(held_out, len(ranks))))


def _at_most(held_out: int, images: int) -> int:
    return min(held_out, int(MOST * images))
