"""Large images read from top to bottom, strip by strip, in the memory of one strip."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from rarl.runtime.errors import UserError

pyvips.cache_set_max(0)  # libvips would keep what was read for a second reader


def size_of(path: Path) -> tuple[int, int]:
    """(width, height) in pixels. Raises `UserError` when it is no image of a known format."""
    with _readable(path):
        image = _open(path)
        return image.width, image.height


def strips(path: Path, height: int) -> Iterator[NDArray[np.uint8]]:
    """(h, W, 3) uint8 RGB strips of `height` rows, from the top; the last may have fewer.

    Transparency is laid over white, 16 bits are scaled to 8; an orientation tag is not followed; of
    a file of several pages the first is read. Memory: one strip, whatever the image's height;
    progressive JPEG and interlaced PNG are decoded whole, by their nature. Raises `UserError` when
    the file is missing, damaged, or has pixels of no known range.
    """
    with _readable(path):
        image = _open(path)
        region = pyvips.Region.new(image)
        for top in range(0, image.height, height):
            rows = min(height, image.height - top)
            fetched = region.fetch(0, top, image.width, rows)
            yield np.frombuffer(fetched, np.uint8).reshape(rows, image.width, 3)


def _open(path: Path) -> pyvips.Image:
    if not path.is_file():
        raise UserError(f"{path}: no such file; correct `images` or put the image there")
    image = pyvips.Image.new_from_file(str(path), access="sequential", fail_on="error")
    if image.format not in ("uchar", "ushort"):
        raise UserError(f"{path}: has pixels of type {image.format}, whose range is unknown")
    if image.hasalpha():
        image = image.flatten(background=[65535 if image.format == "ushort" else 255] * 3)
    image = image.colourspace("srgb")
    if image.bands != 3:
        raise UserError(f"{path}: has {image.bands} bands, which are no colours")
    return image.cast("uchar")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What libvips reports inside the block becomes a `UserError` of one line."""
    try:
        yield
    except pyvips.Error as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as an image ({reason})") from None
