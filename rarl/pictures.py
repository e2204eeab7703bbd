"""Pictures to files: one by one, and as captioned blocks side by side."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from rarl.runtime.files import atomic

SIDE = 6  # pictures in a row and in a column of a block
GAP, MARGIN = 2, 16  # pixels between pictures, and around each method's block
CAPTION = 24  # pixels
MIN_BLOCK = 384  # pixels; small pictures are enlarged to about this side


def joined(parts: Sequence[Image.Image], *, across: bool) -> Image.Image:
    """Pictures beside each other, or below."""
    if across:
        size = sum(part.width for part in parts), max(part.height for part in parts)
    else:
        size = max(part.width for part in parts), sum(part.height for part in parts)
    sheet, left, top = Image.new("RGB", size, "white"), 0, 0
    for part in parts:
        sheet.paste(part, (left, top))
        left, top = (left + part.width, top) if across else (left, top + part.height)
    return sheet


def block(label: str, pixels: Tensor) -> Image.Image:
    """A captioned square of (B, 3, H, W) uint8 pictures, enlarged by whole pixels."""
    scale = max(1, round(MIN_BLOCK / (SIDE * pixels.shape[-1])))
    tiles = pixels.permute(0, 2, 3, 1).cpu().numpy().repeat(scale, 1).repeat(scale, 2)
    pitch = tiles.shape[1] + GAP
    canvas = np.full((SIDE * pitch - GAP, SIDE * pitch - GAP, 3), 208, np.uint8)
    for i, tile in enumerate(tiles[: SIDE**2]):
        top, left = pitch * (i // SIDE), pitch * (i % SIDE)
        canvas[top : top + len(tile), left : left + len(tile)] = tile
    side = len(canvas)
    block = Image.new("RGB", (side + 2 * MARGIN, side + CAPTION + 2 * MARGIN), "white")
    font = ImageFont.load_default(size=16)
    ImageDraw.Draw(block).text((MARGIN, MARGIN // 2), label, fill="black", font=font)
    block.paste(Image.fromarray(canvas), (MARGIN, MARGIN + CAPTION))
    return block


def save(batches: Iterable[Tensor], folder: Path) -> None:
    """Writes (B, 3, H, W) uint8 pictures as 00000.png, ..., and a block of the first, grid.png."""
    shown: list[Tensor] = []
    number = 0
    for batch in batches:
        if number < SIDE**2:
            shown.append(batch[: SIDE**2 - number].cpu().clone())
        for picture in batch.permute(0, 2, 3, 1).cpu().numpy():
            write(Image.fromarray(picture), folder / f"{number:05}.png")
            number += 1
    write(block("", torch.cat(shown)), folder / "grid.png")


def write(picture: Image.Image, path: Path) -> None:
    with atomic(path) as temporary:
        picture.save(temporary, "PNG")
