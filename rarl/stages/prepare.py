"""Stage `prepare`: a data set becomes packed squares of one size."""

import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray

from rarl.config.stages.data import PrepareSettings
from rarl.data.decode import RESIZE_FILTER, to_square
from rarl.data.images import SPLITS, Source, SourceImage, Split
from rarl.data.manifest import FORMAT, Manifest, Reason, SplitEntry, Unreadable, hash_of
from rarl.data.shards import ShardWriter, remove_shards
from rarl.data.sources import open_source
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_json
from rarl.runtime.progress import track

Settings = PrepareSettings
MAX_UNREADABLE = 1  # per cent of the images
MAX_NAMED = 100  # unreadable images in the manifest


def run(settings: PrepareSettings, *, manifest: Path) -> None:
    """Crop, resize and pack a data set into memory-mapped shards.

    Writes `shards/` beside the manifest, then the manifest, in the memory of one shard. Raises
    `UserError` when the data set is missing, malformed or empty, or when more than 1% of its
    images cannot be read; fewer are left out and named in the manifest.
    """
    source = open_source(settings.dataset, settings.image_size)
    for what, count in source.counts.items():
        print(f"prepare: {what}: {count}", file=sys.stderr, flush=True)  # noqa: T201 - the log
    manifest.unlink(missing_ok=True)  # the shards that it lists go next
    remove_shards(manifest.parent)
    squares = _Squares(source, settings.image_size)
    try:
        splits = _write_shards(source, squares, settings.image_size, manifest.parent)
        _require_splits(source, splits)
    except BaseException:  # shards without a manifest are of no use to anyone
        remove_shards(manifest.parent)
        raise
    content = Manifest(
        format=FORMAT,
        image_size=settings.image_size,
        source=source.description,
        dataset=settings.dataset.model_dump(mode="json"),
        resize=RESIZE_FILTER.name.lower(),
        tools={"pillow": PIL.__version__, **source.tools},
        splits=splits,
        counts=dict(source.counts),
        unreadable=squares.unreadable(),
        hash=hash_of(splits),
    )
    write_json(manifest, content.model_dump(mode="json"))


def _write_shards(
    source: Source, squares: "_Squares", image_size: int, folder: Path
) -> dict[Split, SplitEntry]:
    splits: dict[Split, SplitEntry] = {}
    images = track(source.images, source.total, "prepare", "images")
    for split, group in groupby(images, key=lambda image: image.split):
        writer = ShardWriter(folder, split, image_size)
        for image in group:
            square = squares.of(image)
            if square is not None:
                writer.add(square, image.group)
        entry = writer.close()
        if entry is not None:
            splits[split] = entry
    return splits


class _Squares:
    """Decodes images to squares and keeps account of those that cannot be read."""

    def __init__(self, source: Source, image_size: int) -> None:
        self._source = source
        self._image_size = image_size
        self._count = 0
        self._named: list[Reason] = []

    def of(self, image: SourceImage) -> NDArray[np.uint8] | None:
        """The square, (H, W, 3) uint8; None if unreadable. Raises `UserError` above 1% of such."""
        try:
            square = to_square(image.open(), self._source.crop, self._image_size)
        except Exception as error:  # decoders raise anything on broken files
            reason = " ".join(str(error).split()) or type(error).__name__
            self._skip(Reason(name=image.name, reason=reason))
            return None
        return np.asarray(square)

    def unreadable(self) -> Unreadable:
        return Unreadable(count=self._count, images=tuple(self._named))

    def _skip(self, reason: Reason) -> None:
        self._count += 1
        if len(self._named) < MAX_NAMED:
            self._named.append(reason)
        if 100 * self._count > MAX_UNREADABLE * self._source.total:
            first = self._named[0]
            raise UserError(
                f"{self._source.description}: more than {MAX_UNREADABLE}% of "
                f"{self._source.total} images cannot be read ({self._count} so far), first "
                f"{first.name}: {first.reason}; get these again or remove them"
            )


def _require_splits(source: Source, splits: dict[Split, SplitEntry]) -> None:
    for split in SPLITS:
        if split not in splits:
            raise UserError(
                f"{source.description}: has no {split} image among {source.total}; put more "
                "images there, or set val_fraction where there is no official split"
            )
