"""Groups of images that resemble each other, in an order that nothing but their names decides.

Two evaluations that leave out groups from the end of this order leave out the same images, and
never an image whose siblings stay.
"""

import numpy as np
from numpy.typing import NDArray


def ranks_of(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Rank of each image's group among the groups, from 0, by the hash of the group's name.

    `hashes`: (n,), that of each image's group.
    """
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


def last_groups(ranks: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """(n,): whether an image is in one of the last groups, which hold about `count` images.

    As many whole groups as come nearest to `count` (of two numbers equally near, the smaller); at
    least one, and not all. Raises `ValueError` when there is but one group.
    """
    sizes = np.bincount(ranks)  # (groups,)
    if len(sizes) < 2:
        raise ValueError("all images are in one group, so that none can be left out")
    held_out = sizes[::-1].cumsum()[:-1]  # images in the last 1, 2, .. groups, but for all
    groups = int(np.abs(held_out - count).argmin()) + 1
    return ranks >= len(sizes) - groups
