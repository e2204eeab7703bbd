"""Samples of several methods side by side: what the stages that show samples share."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from rarl.models.saved import CodeSet, load_draw
from rarl.models.vqvae import VQVAE
from rarl.pictures import SIDE, block, joined
from rarl.stages._decoding import decode


def strip(model: VQVAE, captions: Sequence[str], samples: Sequence[Path]) -> Image.Image:
    """A captioned block of the first samples of each file, left to right.

    The same random numbers stand behind the pictures at the same place of every block, but where
    a method rejects some.
    """
    blocks = []
    for caption, path in zip(captions, samples, strict=True):
        codes = load_draw(path).content
        first = CodeSet(tuple(grid[: SIDE**2] for grid in codes.grids), codes.codebook_size)
        (pixels,) = decode(model, first, SIDE**2, caption)
        blocks.append(block(caption, pixels))
    return joined(blocks, across=True)
