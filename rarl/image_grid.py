"""Images to files: one by one, and as captioned blocks side by side."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms.v2.functional import to_pil_image
from torchvision.utils import make_grid

from rarl.runtime.files import atomic

SIDE = 6  # images in a row and in a column of a block
GAP, MARGIN = 2, 16  # pixels around each image, and around each method's block
GREY = 208  # of the gaps
CAPTION = 24  # pixels a line
FONT = ImageFont.load_default(size=16)
MIN_BLOCK = 384  # pixels; small images are enlarged to about this side


def joined(parts: Sequence[Image.Image], *, across: bool) -> Image.Image:
    """Images beside each other, or below."""
    if across:
        size = sum(part.width for part in parts), max(part.height for part in parts)
    else:
        size = max(part.width for part in parts), sum(part.height for part in parts)
    sheet, left, top = Image.new("RGB", size, "white"), 0, 0
    for part in parts:
        sheet.paste(part, (left, top))
        left, top = (left + part.width, top) if across else (left, top + part.height)
    return sheet


def heading(text: str) -> Image.Image:
    """A line of text, as wide as it needs to be."""
    width = MARGIN * 2 + int(FONT.getlength(text))
    line = Image.new("RGB", (width, CAPTION + MARGIN), "white")
    ImageDraw.Draw(line).text((MARGIN, MARGIN // 2), text, fill="black", font=FONT)
    return line


def block(caption: Sequence[str], pixels: Tensor) -> Image.Image:
    """A square of (B, 3, H, W) uint8 images, enlarged by whole pixels, below lines of text."""
    scale = max(1, round(MIN_BLOCK / (SIDE * pixels.shape[-1])))
    tiles = pixels[: SIDE**2].cpu().repeat_interleave(scale, -2).repeat_interleave(scale, -1)
    canvas = to_pil_image(make_grid(tiles, nrow=SIDE, padding=GAP, pad_value=GREY))
    above = MARGIN + CAPTION * len(caption)
    block = Image.new("RGB", (canvas.width + 2 * MARGIN, canvas.height + above + MARGIN), "white")
    for number, line in enumerate(caption):
        at = MARGIN, MARGIN // 2 + CAPTION * number
        ImageDraw.Draw(block).text(at, line, fill="black", font=FONT)
    block.paste(canvas, (MARGIN, above))
    return block


def save(batches: Iterable[Tensor], folder: Path) -> None:
    """Writes (B, 3, H, W) uint8 images as 00000.png, ..., and a block of the first, grid.png."""
    shown: list[Tensor] = []
    number = 0
    for batch in batches:
        if number < SIDE**2:
            shown.append(batch[: SIDE**2 - number].cpu().clone())
        for image in batch.cpu():
            write(to_pil_image(image), folder / f"{number:05}.png")
            number += 1
    write(block([], torch.cat(shown)), folder / "grid.png")


def write(image: Image.Image, path: Path) -> None:
    with atomic(path) as temporary:
        image.save(temporary, "PNG")
