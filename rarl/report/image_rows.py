"""Samples of several methods as one image. Imports torch: only what shows samples imports it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from rarl.image_grid import SIDE, block, heading, joined
from rarl.models.codes import CodeSet, load_draw
from rarl.models.decoding import decode
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae
from rarl.report.logs import Selected
from rarl.runtime import device


def image(
    title: str,
    vqvaes: Sequence[Path],
    labels: Sequence[Sequence[str]],
    samples: Sequence[Sequence[Path]],
    selected: Sequence[Sequence[Selected]],
) -> Image.Image:
    """A row for each VQ-VAE, and in it a block for each of its files of samples."""
    on = device.pick()
    rows = [
        _row(load_vqvae(vqvae, on), names, paths, of)
        for vqvae, names, paths, of in zip(vqvaes, labels, samples, selected, strict=True)
    ]
    return joined([heading(title), *rows] if title else rows, across=False)


def _row(
    model: VQVAE, labels: Sequence[str], samples: Sequence[Path], selected: Sequence[Selected]
) -> Image.Image:
    """A captioned block of the first samples of each file, left to right.

    A caption has the label and which iteration made the prior. The same random numbers stand
    behind the images at the same place of every block, but where a method rejects some.
    """
    blocks = []
    for label, path, of in zip(labels, samples, selected, strict=True):
        codes = load_draw(path).content
        first = CodeSet(tuple(level[: SIDE**2] for level in codes.grids), codes.codebook_size)
        (pixels,) = decode(model, first, SIDE**2, label)
        blocks.append(block([label, of.line()], pixels))
    return joined(blocks, across=True)
