"""What every source of images gives: a lazy stream, and the rules that all sources share."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from heapq import nsmallest
from itertools import groupby
from typing import Literal

from PIL import Image

from rarl.config import Crop

Split = Literal["train", "val"]
SPLITS: tuple[Split, Split] = ("train", "val")


@dataclass(frozen=True)
class SourceImage:
    """An image that is not decoded yet; `open` gives RGB, or raises any error if it cannot."""

    name: str
    split: Split
    group: str  # of images that resemble each other, such as overlapping tiles; or its own name
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class Source:
    """A data set before preparation; `images` streams, all of train before any of val."""

    description: str  # where the images are from, for messages and the manifest
    total: int  # images in the stream
    crop: Literal["center"] | Crop  # what is still to be cut out of them
    images: Iterable[SourceImage]
    tools: Mapping[str, str] = field(default_factory=dict)  # versions that decide the pixels
    counts: Mapping[str, int] = field(default_factory=dict)  # what was found and left out


def split_of(name: str, val_fraction: float) -> Split:
    """The split of an image where there is no official one; it depends on nothing but its name.

    So adding images never moves others, and a larger `val_fraction` only moves train to val.
    """
    return "val" if _uniform(name) < val_fraction else "train"


def arrange(names: Iterable[tuple[str, Split]], max_images: int | None) -> list[tuple[str, Split]]:
    """The listed images to keep, in order: train before val, each by name.

    `max_images` limits each split by itself: those whose names have the smallest hashes stay, so
    that the subset is no prefix of a tree that is sorted by class.
    """
    kept: list[tuple[str, Split]] = []
    by_split = sorted(names, key=lambda entry: (SPLITS.index(entry[1]), entry[0]))
    for _, group in groupby(by_split, key=lambda entry: entry[1]):
        entries = list(group)
        if max_images is not None:
            entries = sorted(nsmallest(max_images, entries, key=lambda entry: _uniform(entry[0])))
        kept.extend(entries)
    return kept


def stream(
    entries: Iterable[tuple[str, Split]],
    opener: Callable[[str], Image.Image],
    group_of: Callable[[str], str],
) -> Iterator[SourceImage]:
    """Images that `opener` decodes by name when they are asked for, each in its group."""
    for name, split in entries:
        yield SourceImage(name, split, group_of(name), partial(opener, name))


def name_hash(name: str) -> int:
    """64 bits of the SHA-256 of a name."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big")


def _uniform(name: str) -> float:
    """A number in [0, 1)."""
    return name_hash(name) / 2**64
