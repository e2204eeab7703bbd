"""Stage `grid`: samples of several methods side by side, as a picture."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from rarl.models.saved import CodeSet, load_codes, load_vqvae
from rarl.plan import GridSettings
from rarl.runtime import device
from rarl.runtime.files import atomic
from rarl.stages._decoding import decode

Settings = GridSettings
SIDE = 6  # pictures in a row and in a column, for each method
GAP, MARGIN = 2, 16  # pixels between pictures, and around each method's block
CAPTION = 24  # pixels
MIN_BLOCK = 384  # pixels; small pictures are enlarged to about this side


def run(settings: GridSettings, *, vqvae: Path, samples: list[Path], output: Path) -> None:
    """Show the first samples of each method, the same random numbers at the same place."""
    model = load_vqvae(vqvae, device.pick())
    blocks = []
    for label, path in zip(settings.labels, samples, strict=True):
        codes = load_codes(path)["samples"]
        first = CodeSet(tuple(grid[: SIDE**2] for grid in codes.grids), codes.codebook_size)
        (pixels,) = decode(model, first, SIDE**2, f"grid {label}")
        blocks.append(_block(label, pixels))
    width = sum(block.width for block in blocks)
    sheet = Image.new("RGB", (width, max(block.height for block in blocks)), "white")
    left = 0
    for block in blocks:
        sheet.paste(block, (left, 0))
        left += block.width
    with atomic(output) as temporary:
        sheet.save(temporary, "PNG")


def _block(label: str, pixels: Tensor) -> Image.Image:
    """A captioned square of (B, 3, H, W) uint8 pictures, enlarged by whole pixels."""
    scale = max(1, round(MIN_BLOCK / (SIDE * pixels.shape[-1])))
    tiles = pixels.permute(0, 2, 3, 1).cpu().numpy().repeat(scale, 1).repeat(scale, 2)
    pitch = tiles.shape[1] + GAP
    canvas = np.full((SIDE * pitch - GAP, SIDE * pitch - GAP, 3), 208, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = pitch * (i // SIDE), pitch * (i % SIDE)
        canvas[top : top + len(tile), left : left + len(tile)] = tile
    side = len(canvas)
    block = Image.new("RGB", (side + 2 * MARGIN, side + CAPTION + 2 * MARGIN), "white")
    font = ImageFont.load_default(size=16)
    ImageDraw.Draw(block).text((MARGIN, MARGIN // 2), label, fill="black", font=font)
    block.paste(Image.fromarray(canvas), (MARGIN, MARGIN + CAPTION))
    return block
