"""Samples of several methods side by side: what the stages that show samples share."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from rarl.image_grid import SIDE, block, joined
from rarl.models.codes import CodeSet, load_draw
from rarl.models.vqvae import VQVAE
from rarl.report.logs import read_selected
from rarl.stages._decoding import decode


def strip(
    model: VQVAE, labels: Sequence[str], samples: Sequence[Path], finetunings: Sequence[Path]
) -> Image.Image:
    """A captioned block of the first samples of each file, left to right.

    A caption has the label and the iteration that the prior's log says. The same random numbers
    stand behind the pictures at the same place of every block, but where a method rejects some.
    """
    blocks = []
    for label, path, log in zip(labels, samples, finetunings, strict=True):
        codes = load_draw(path).content
        first = CodeSet(tuple(grid[: SIDE**2] for grid in codes.grids), codes.codebook_size)
        (pixels,) = decode(model, first, SIDE**2, label)
        blocks.append(block([label, read_selected(log).line()], pixels))
    return joined(blocks, across=True)
