"""Squares cut out of large images: satellite, histology, texture.

An image is divided into regions, squares side by side. A tile lies in one region, and a region is
all train or all val, so that no pixel of a val tile is in a train tile. The tiles of a region
overlap each other, and no others: they are a group.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution, version
from itertools import groupby
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageColor

from rarl.config import PackageFile, Tiles
from rarl.data.images import SPLITS, Source, SourceImage, Split, arrange, split_of
from rarl.data.strips import size_of, strips
from rarl.data.tile_filters import count_disjoint, deviation, share
from rarl.runtime.errors import UserError
from rarl.runtime.progress import track


@dataclass(frozen=True, order=True)
class _Tile:
    """In the order in which an image is read."""

    image: int  # index
    region_top: int  # pixels of the image, as all below
    region_left: int
    top: int
    left: int
    rotation: int  # degrees, counter-clockwise


def open_source(settings: Tiles, _image_size: int) -> Source:
    """The tiles that pass the filters; each image is read once for these, and once a split.

    Raises `UserError` when an image is missing, damaged or smaller than a tile, or when no tile is
    left for a split.
    """
    images = [(_name(image), _path(image)) for image in settings.images]
    for _, path in images:
        _require_room(path, settings.tile)
    counts: Counter[str] = Counter({"tiles": 0, "disjoint": 0, "regions": 0})
    tiles: dict[str, _Tile] = {}
    splits: dict[str, Split] = {}
    for tile in _scan(settings, [path for _, path in images], counts):
        name = f"{images[tile.image][0]}:{tile.left},{tile.top}@{tile.rotation}"
        tiles[name] = tile
        splits[name] = split_of(_region(images[tile.image][0], tile), settings.val_fraction)
    kept = arrange(splits.items(), settings.max_images)
    _require_both(kept, counts, settings)
    ordered = sorted(kept, key=lambda entry: (SPLITS.index(entry[1]), tiles[entry[0]]))
    return Source(
        f"tiles of {', '.join(name for name, _ in images)}",
        len(kept),
        "center",
        _stream([(name, split, tiles[name]) for name, split in ordered], images, settings),
        _tools(settings),
        counts,
    )


def _scan(settings: Tiles, paths: list[Path], counts: Counter[str]) -> Iterator[_Tile]:
    """The tiles that pass; `counts` gets the numbers of these and of what each filter left out."""
    for index, path in enumerate(paths):
        total = -(-size_of(path)[1] // settings.region)
        read = track(strips(path, settings.region), total, f"prepare, {path.name}", "strip")
        for row, strip in enumerate(read):
            region_top = row * settings.region
            for region_left in range(0, strip.shape[1], settings.region):
                region = strip[:, region_left : region_left + settings.region]
                passed = _filter(region, settings, counts)
                for place in np.argwhere(passed) * settings.stride:
                    top, left = region_top + int(place[0]), region_left + int(place[1])
                    for rotation in settings.rotations:
                        yield _Tile(index, region_top, region_left, top, left, rotation)


def _filter(region: NDArray[np.uint8], settings: Tiles, counts: Counter[str]) -> NDArray[np.bool_]:
    """(rows, columns): whether a tile passes; one that fails counts for its first filter."""
    tile, stride = settings.tile, settings.stride
    passed = deviation(region, tile, stride) >= settings.min_deviation
    counts["left out by min_deviation"] += int((~passed).sum())
    for number, background in enumerate(settings.backgrounds):
        colors = [ImageColor.getrgb(color) for color in background.colors]
        much = share(region, colors, background.tolerance, tile, stride) > background.most
        counts[f"left out by backgrounds.{number}"] += int((passed & much).sum())
        passed &= ~much
    counts["tiles"] += int(passed.sum())
    counts["disjoint"] += count_disjoint(passed, tile, stride)
    counts["regions"] += int(passed.any())
    return passed


def _stream(
    entries: list[tuple[str, Split, _Tile]], images: list[tuple[str, Path]], settings: Tiles
) -> Iterator[SourceImage]:
    """The tiles of each split and image, while the image is read from top to bottom."""
    for (split, index), of_image in groupby(entries, key=lambda entry: (entry[1], entry[2].image)):
        name, path = images[index]
        read = enumerate(strips(path, settings.region))
        for region_top, of_strip in groupby(of_image, key=lambda entry: entry[2].region_top):
            strip = next(strip for row, strip in read if row * settings.region == region_top)
            for tile_name, _, tile in of_strip:
                top = tile.top - region_top
                pixels = strip[top : top + settings.tile, tile.left : tile.left + settings.tile]
                turned = np.rot90(pixels, tile.rotation // 90)
                opener = partial(Image.fromarray, np.ascontiguousarray(turned))
                yield SourceImage(tile_name, split, _region(name, tile), opener)


def _region(image: str, tile: _Tile) -> str:
    return f"{image}:{tile.region_left},{tile.region_top}"


def _name(image: str | PackageFile) -> str:
    """Decides the split, so it must be the same on every machine: the file's name alone."""
    return Path(image.file if isinstance(image, PackageFile) else image).name


def _path(image: str | PackageFile) -> Path:
    if isinstance(image, str):
        return Path(image).expanduser()
    try:
        return Path(str(distribution(image.package).locate_file(image.file)))
    except PackageNotFoundError:
        raise UserError(
            f"dataset of kind tiles: the Python package {image.package} is missing; "
            f"install it with: pip install {image.package}"
        ) from None


def _require_room(path: Path, tile: int) -> None:
    width, height = size_of(path)
    if min(width, height) < tile:
        raise UserError(
            f"dataset of kind tiles: tile={tile} is larger than {path}, which is "
            f"{width}x{height}; set a smaller tile"
        )


def _require_both(kept: list[tuple[str, Split]], counts: Counter[str], settings: Tiles) -> None:
    there = {split for _, split in kept}
    if not there:
        left_out = ", ".join(f"{key} {count}" for key, count in counts.items() if count)
        raise UserError(f"dataset of kind tiles: no tile passes the filters ({left_out})")
    for split in SPLITS:
        if split not in there:
            raise UserError(
                f"dataset of kind tiles: none of {counts['regions']} regions is {split}; set a "
                f"smaller region than {settings.region}, or another val_fraction than "
                f"{settings.val_fraction:g}"
            )


def _tools(settings: Tiles) -> dict[str, str]:
    packages = {image.package for image in settings.images if isinstance(image, PackageFile)}
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    return {"libvips": libvips, **{name: version(name) for name in sorted(packages)}}
