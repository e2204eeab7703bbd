"""What the tiles of a region hold: their deviation and their share of a background.

All tiles of a region at once: a sum over squares is a product with matrices of windows.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def deviation(pixels: NDArray[np.uint8], tile: int, stride: int) -> NDArray[np.float64]:
    """Root of the variance within a channel, averaged over the channels; 0..127.5 of 255.

    `pixels`: (H, W, 3). Returns (rows, columns) of the tiles at multiples of `stride`.
    """
    values = pixels.astype(np.float64)
    mean = box_sums(values, tile, stride) / tile**2  # (rows, columns, 3)
    mean_square = box_sums(values * values, tile, stride) / tile**2
    variance: NDArray[np.float64] = np.maximum(mean_square - mean**2, 0).mean(axis=-1)
    return np.sqrt(variance)


def share(
    pixels: NDArray[np.uint8],
    colors: Iterable[tuple[int, ...]],
    tolerance: int,
    tile: int,
    stride: int,
) -> NDArray[np.float64]:
    """Share of a tile's pixels, 0..1, none of whose channels is further than `tolerance` from one
    of the colours. Shapes as in `deviation`.
    """
    near = np.zeros(pixels.shape[:2], bool)
    for color in colors:
        least, most = (np.clip(np.add(color, by), 0, 255) for by in (-tolerance, tolerance))
        within = (pixels >= least.astype(np.uint8)) & (pixels <= most.astype(np.uint8))
        near |= within[..., 0] & within[..., 1] & within[..., 2]
    return box_sums(near.astype(np.float64), tile, stride) / tile**2


def count_disjoint(kept: NDArray[np.bool_], tile: int, stride: int) -> int:
    """How many of the kept tiles overlap none that was counted before, row by row.

    `kept`: (rows, columns) of tiles at multiples of `stride`.
    """
    reach = -(-tile // stride) - 1  # tiles so many places apart still overlap
    free, count = kept.copy(), 0
    for row, column in zip(*np.nonzero(kept), strict=True):
        if free[row, column]:
            count += 1
            free[
                max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1
            ] = False
    return count


def box_sums(values: NDArray[np.float64], tile: int, stride: int) -> NDArray[np.float64]:
    """Sums over squares of side `tile` whose corners are multiples of `stride`.

    `values`: (H, W, ...) integers, whose sums are exact below 2**53. Returns (rows, columns, ...),
    empty where no tile fits.
    """
    height, width = values.shape[:2]
    tall = np.tensordot(_windows(height, tile, stride), values, axes=1)  # (rows, W, ...)
    return np.tensordot(_windows(width, tile, stride), tall, axes=(1, 1)).swapaxes(0, 1)


def _windows(length: int, tile: int, stride: int) -> NDArray[np.float64]:
    """(n, length): 1 where a pixel lies in the window of a tile."""
    starts = np.arange(0, length - tile + 1, stride)[:, None]
    at = np.arange(length)
    return ((at >= starts) & (at < starts + tile)).astype(np.float64)
