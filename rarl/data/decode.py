"""From the bytes of an image to a square of RGB; raises on whatever is not a whole image."""

import io
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import resized_crop

from rarl.config import Crop

RESIZE_FILTER = InterpolationMode.LANCZOS  # of Pillow: three lobes, widened when it shrinks


def decode(content: Path | bytes) -> Image.Image:
    """A whole image as RGB, upright.

    Raises whatever Pillow does on content that is empty, cut short or no image, and
    `DecompressionBombWarning` above Pillow's `MAX_IMAGE_PIXELS`.
    """
    if isinstance(content, Path):
        content = content.read_bytes()
    if not content:
        raise ValueError("is empty")
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(content))
        except UnidentifiedImageError:  # its message holds an address in memory
            raise ValueError("is no image of a known format") from None
        return to_rgb(ImageOps.exif_transpose(image))


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB of 8 bits: transparency over white, 16-bit grey scaled from 0..65535.

    CMYK is converted without a colour profile. Raises `ValueError` on modes of no known range
    (32-bit floats, integers above 65535).
    """
    if image.mode == "F":
        raise ValueError("has 32-bit float pixels, whose range is unknown")
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_16_bits(image).convert("RGB")
    if image.has_transparency_data:
        if image.mode in ("La", "RGBa"):  # premultiplied
            image = image.convert(image.mode.upper())
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Pillow's own conversion cuts at 255 instead of scaling."""
    values = np.asarray(image).astype(np.int64)  # (H, W)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError("has integer pixels outside 0..65535")
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def to_square(image: Image.Image, crop: Literal["center"] | Crop, size: int) -> Image.Image:
    """Cuts a square out and resizes it to `size`: a box crop, then Lanczos with antialias.

    `center` is the largest square in the middle (half a pixel to the left or top where the
    margin is odd). A square smaller than `size` is enlarged. Raises `ValueError` when the crop
    leaves the image.
    """
    width, height = image.size
    if isinstance(crop, Crop):
        left, top, side = crop.left, crop.top, crop.side
        if left + side > width or top + side > height:
            raise ValueError(f"is {width}x{height}, too small for the crop")
    else:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
    return resized_crop(image, top, left, side, side, [size, size], RESIZE_FILTER)


def require_size(image: Image.Image, sizes: tuple[tuple[int, int], ...]) -> Image.Image:
    """The image itself. Raises `ValueError` unless its (width, height) is one of `sizes`."""
    if image.size not in sizes:
        known = " or ".join(f"{width}x{height}" for width, height in sizes)
        raise ValueError(f"is {image.width}x{image.height}, not {known}")
    return image
