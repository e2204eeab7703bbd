"""LSUN from its official LMDBs: keys are hashes, values are encoded images (WebP)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import lmdb

from rarl.config import Lsun
from rarl.data.decode import decode
from rarl.data.images import SPLITS, Source, SourceImage, Split
from rarl.runtime.errors import UserError

FROM = "http://dl.yf.io/lsun (https://github.com/fyu/lsun)"


def open_source(settings: Lsun, _image_size: int) -> Source:
    """The images of the train and the val LMDB, in the order of their keys; nothing is listed.

    `max_images` limits each split to its first keys: these are hashes, so it is a fair subset.
    Raises `UserError` when an LMDB is missing, cut short or no LMDB.
    """
    root = Path(settings.path).expanduser()
    folders = {split: root / f"{settings.category}_{split}_lmdb" for split in SPLITS}
    total = 0
    for folder in folders.values():
        with _environment(folder) as environment:
            entries: int = environment.stat()["entries"]
        total += entries if settings.max_images is None else min(entries, settings.max_images)
    return Source(
        f"lsun {root}, category {settings.category}",
        total,
        settings.crop,
        _stream(folders, settings.max_images),
    )


def _stream(folders: dict[Split, Path], max_images: int | None) -> Iterator[SourceImage]:
    for split, folder in folders.items():
        with (
            _environment(folder) as environment,
            environment.begin() as transaction,
            transaction.cursor() as cursor,
        ):
            for key, value in islice(cursor, max_images):
                name = key.decode("ascii", "backslashreplace")
                yield SourceImage(name, split, name, partial(decode, value))


@contextmanager
def _environment(folder: Path) -> Iterator[lmdb.Environment]:
    """An LMDB opened to read; faults of LMDB inside the block become `UserError`."""
    if not (folder / "data.mdb").is_file():
        raise UserError(
            f"dataset of kind lsun: no LMDB in {folder}; get {folder.name}.zip from {FROM} and "
            f"unpack it in {folder.parent}"
        )
    try:
        with lmdb.open(str(folder), readonly=True, lock=False, readahead=False) as environment:
            _require_whole(environment, folder / "data.mdb")
            yield environment
    except lmdb.Error as error:
        raise UserError(
            f"{folder}: cannot be read as an LMDB ({error}); unpack {folder.name}.zip again"
        ) from None


def _require_whole(environment: lmdb.Environment, data: Path) -> None:
    """LMDB maps its file: reading behind the end of one cut short would kill the process."""
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if data.stat().st_size < needed:
        raise UserError(
            f"{data}: is cut short ({data.stat().st_size} of {needed} bytes); unpack "
            f"{data.parent.name}.zip again"
        )
