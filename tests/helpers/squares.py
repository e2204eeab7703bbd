"""Generated images for tests of the whole workflow."""

from pathlib import Path

import numpy as np
from PIL import Image


def make(folder: Path, count: int) -> list[Image.Image]:
    """Squares of random colour and place on white, as PNGs in a new folder."""
    folder.mkdir(parents=True)
    draw, made = np.random.default_rng(0), []
    for number in range(count):
        pixels = np.full((20, 24, 3), 255, dtype=np.uint8)
        top, left = draw.integers(0, 12, size=2)
        pixels[top : top + 8, left : left + 8] = draw.integers(0, 256, size=3)
        made.append(Image.fromarray(pixels))
        made[-1].save(folder / f"{number:02}.png")
    return made
