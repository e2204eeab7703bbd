"""Oracles: pixel values in closed form, numpy's flips, and Lanczos resampling written out."""

import io

import numpy as np
import pytest
from PIL import Image

from rarl.config import Crop
from rarl.data.decode import decode, require_size, to_rgb, to_square

RANDOM = np.random.default_rng(0)


def encoded(image: Image.Image, kind: str = "png", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def only_pixel(image: Image.Image) -> tuple[int, ...]:
    assert image.mode == "RGB"
    return tuple(int(v) for v in np.asarray(image)[0, 0])


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("RGB", (10, 20, 30), (10, 20, 30)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (200, 100, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 100, 0, 255), (200, 100, 0)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),  # a fifth of black: 4/5 of white
        ("LA", (0, 102), (153, 153, 153)),
        ("I;16", 257 * 99, (99, 99, 99)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 128, (0, 0, 0)),  # 128/257 rounds down
        ("I;16", 129, (1, 1, 1)),
    ],
)
def test_every_mode_becomes_rgb(mode: str, pixel: object, expected: tuple[int, ...]) -> None:
    assert only_pixel(decode(encoded(Image.new(mode, (3, 2), pixel)))) == expected


def test_cmyk_is_subtractive() -> None:
    image = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    assert only_pixel(decode(encoded(image, "tiff"))) == (0, 255, 255)
    from_jpeg = only_pixel(decode(encoded(image, "jpeg", quality=100)))
    assert np.abs(np.subtract(from_jpeg, (0, 255, 255))).max() <= 2


def test_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 9, 8, 7])
    assert only_pixel(decode(encoded(image))) == (9, 8, 7)
    assert only_pixel(decode(encoded(image, transparency=1))) == (255, 255, 255)


def test_big_endian_16_bits() -> None:
    raw = np.full((2, 2), 257 * 40, ">u2").tobytes()
    assert only_pixel(to_rgb(Image.frombytes("I;16B", (2, 2), raw))) == (40, 40, 40)


def test_pgm_of_16_bits() -> None:
    assert only_pixel(decode(b"P5 1 1 65535\n" + bytes([100, 100]))) == (100, 100, 100)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_no_known_range(mode: str) -> None:
    with pytest.raises(ValueError, match="pixels"):
        to_rgb(Image.new(mode, (1, 1), 70000))


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.transpose(1, 0, 2)),
        (6, lambda a: np.rot90(a, -1)),  # shown after a quarter turn clockwise
        (7, lambda a: np.rot90(a, 2).transpose(1, 0, 2)),
        (8, lambda a: np.rot90(a, 1)),
    ],
)
def test_exif_orientation(orientation: int, upright) -> None:
    pixels = RANDOM.integers(0, 256, (2, 3, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = np.asarray(decode(encoded(Image.fromarray(pixels), exif=exif)))
    np.testing.assert_array_equal(got, upright(pixels))


def test_broken_content() -> None:
    whole = encoded(Image.fromarray(RANDOM.integers(0, 256, (32, 32, 3), dtype=np.uint8)), "jpeg")
    assert decode(whole).size == (32, 32)
    with pytest.raises(OSError, match="truncated"):
        decode(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="is empty"):
        decode(b"")
    with pytest.raises(ValueError, match="no image"):
        decode(b"not an image")


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    lossless = {"lossless": True} if kind == "webp" else {}
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **lossless)
    assert only_pixel(decode(content)) == (255, 0, 0)


@pytest.mark.parametrize("crop", ["center", Crop(left=3, top=1, side=21)])
@pytest.mark.parametrize("size", [8, 21, 40])
def test_a_square_is_pillows_crop_and_lanczos_bit_for_bit(crop, size: int) -> None:
    image = Image.fromarray(RANDOM.integers(0, 256, (23, 31, 3), dtype=np.uint8))
    box = (4, 0, 27, 23) if crop == "center" else (3, 1, 24, 22)
    expected = image.crop(box).resize((size, size), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(np.asarray(to_square(image, crop, size)), np.asarray(expected))


def test_one_pixel_is_a_image_of_one_colour() -> None:
    square = to_square(decode(encoded(Image.new("RGB", (1, 1), "red"))), "center", 16)
    assert np.asarray(square).tolist() == [[[255, 0, 0]] * 16] * 16


@pytest.mark.parametrize("limit", [99, 40])  # Pillow warns above the limit, raises above twice it
def test_bomb_is_refused(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = encoded(Image.new("RGB", (10, 10)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    decode(bomb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(Exception, match="decompression bomb"):
        decode(bomb)


def test_crop_without_resize_is_a_slice() -> None:
    pixels = RANDOM.integers(0, 256, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    got = np.asarray(to_square(image, Crop(left=5, top=1, side=7), 7))
    np.testing.assert_array_equal(got, pixels[1:8, 5:12])
    np.testing.assert_array_equal(np.asarray(to_square(image, "center", 9)), pixels[:, 1:10])
    tall = np.asarray(to_square(Image.fromarray(pixels.transpose(1, 0, 2)), "center", 9))
    np.testing.assert_array_equal(tall, pixels.transpose(1, 0, 2)[1:10])


@pytest.mark.parametrize(("left", "top"), [(6, 1), (5, 3)])
def test_crop_must_fit(left: int, top: int) -> None:
    with pytest.raises(ValueError, match="12x9, too small for the crop"):
        to_square(Image.new("RGB", (12, 9)), Crop(left=left, top=top, side=7), 7)


def lanczos_matrix(before: int, after: int) -> np.ndarray:
    """Row i holds the weights of output i: sinc(x) sinc(x/3), |x| < 3, widened when it shrinks."""
    scale = max(1.0, before / after)
    centres = (np.arange(after) + 0.5) * before / after
    x = (np.arange(before) + 0.5 - centres[:, None]) / scale
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("size", [7, 16, 40])
def test_resize_is_antialiased_lanczos(size: int) -> None:
    pixels = RANDOM.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    weights = lanczos_matrix(32, size)
    rows = np.einsum("iw,hwc->hic", weights, pixels.astype(float)).round().clip(0, 255)
    expected = np.einsum("jh,hic->jic", weights, rows).clip(0, 255)
    got = np.asarray(to_square(Image.fromarray(pixels), "center", size))
    np.testing.assert_allclose(got, expected, atol=1.1)


def test_require_size() -> None:
    image = Image.new("RGB", (3, 2))
    assert require_size(image, ((2, 3), (3, 2))) is image
    with pytest.raises(ValueError, match="is 3x2, not 2x3 or 4x4"):
        require_size(image, ((2, 3), (4, 4)))
