"""Packed images: uint8 .npy files that are memory-mapped, and the ranks of the images' groups;
listed in a manifest."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rarl.data import manifest as manifests
from rarl.data.groups import ranks_of
from rarl.data.images import SPLITS, Split, name_hash
from rarl.data.manifest import Shard, SplitEntry
from rarl.runtime.errors import UserError
from rarl.runtime.files import atomic, sha256

FOLDER = "shards"  # beside the manifest
SHARD_BYTES = 64 * 2**20  # a shard is filled in memory, so this bounds it


class ShardWriter:
    """Writes the images of one split into shards of equal length; only the last is shorter."""

    def __init__(
        self, root: Path, split: Split, image_size: int, shard_bytes: int = SHARD_BYTES
    ) -> None:
        """`root` is the manifest's folder."""
        self._root = root
        self._split = split
        capacity = max(1, shard_bytes // (3 * image_size**2))
        self._buffer = np.empty((capacity, image_size, image_size, 3), np.uint8)  # (n, H, W, 3)
        self._filled = 0
        self._shards: list[Shard] = []
        self._groups = array("Q")  # hash of each image's group

    def add(self, image: NDArray[np.uint8], group: str) -> None:
        """Appends one image, (H, W, 3) uint8."""
        self._buffer[self._filled] = image
        self._groups.append(name_hash(group))
        self._filled += 1
        if self._filled == len(self._buffer):
            self._flush()

    def close(self) -> SplitEntry | None:
        """Writes what is left; gives the split's part of the manifest, None without an image."""
        if self._filled:
            self._flush()
        if not self._shards:
            return None
        ranks = ranks_of(np.array(self._groups, np.uint64))
        return SplitEntry(
            count=len(ranks),
            groups=int(ranks.max()) + 1,
            shards=tuple(self._shards),
            ranks=self._write(f"{FOLDER}/{self._split}-ranks.npy", ranks),
        )

    def _flush(self) -> None:
        name = f"{FOLDER}/{self._split}-{len(self._shards):05d}.npy"
        self._shards.append(self._write(name, self._buffer[: self._filled]))
        self._filled = 0

    def _write(self, name: str, values: NDArray[np.generic]) -> Shard:
        path = self._root / name
        try:
            with atomic(path) as temporary:
                with temporary.open("wb") as file:
                    np.save(file, values, allow_pickle=False)
                size, digest = temporary.stat().st_size, sha256(temporary)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error}; make room and repeat") from None
        return Shard(file=name, count=len(values), bytes=size, sha256=digest)


def remove_shards(root: Path) -> None:
    """Removes what an earlier preparation left in `root`, finished or not, and nothing else."""
    for split in SPLITS:
        for pattern in (f"{split}-*.npy", f".{split}-*.npy.*.tmp"):
            for leftover in (root / FOLDER).glob(pattern):
                leftover.unlink()


class PackedImages:
    """A split of a prepared data set, read from disk as it is asked for."""

    def __init__(self, manifest: Path, split: Split) -> None:
        """Maps the shards. Raises `UserError` when one is missing or not as the manifest says."""
        content = manifests.read(manifest)
        self.image_size = content.image_size
        self._from = (manifest, split)
        entry, shape = content.splits[split], (content.image_size, content.image_size, 3)
        self._shards = [
            _map(manifest, shard, np.dtype(np.uint8), (shard.count, *shape))
            for shard in entry.shards
        ]
        self._ends = np.cumsum([shard.count for shard in entry.shards])
        self.ranks = _map(manifest, entry.ranks, np.dtype(np.int64), (entry.count,))  # of groups

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __reduce__(self) -> tuple[type["PackedImages"], tuple[Path, Split]]:
        """Travels to another process by name: the default would copy the images."""
        return PackedImages, self._from

    def take(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.uint8]:
        """Images by index, (n, H, W, 3) uint8 in the order asked for.

        Raises `IndexError` on an index outside 0..len-1.
        """
        wanted = np.asarray(indices, dtype=np.int64)  # (n,)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"indices {wanted.min()}..{wanted.max()} of {len(self)} images")
        shard_of = np.searchsorted(self._ends, wanted, side="right")  # (n,)
        taken = np.empty((len(wanted), self.image_size, self.image_size, 3), np.uint8)
        for at in np.unique(shard_of):
            here = shard_of == at
            first = self._ends[at] - len(self._shards[at])
            taken[here] = self._shards[at][wanted[here] - first]
        return taken


def open_split(manifest: Path, split: Split) -> PackedImages:
    """The images of a split, memory-mapped. Raises `UserError` as `PackedImages` does."""
    return PackedImages(manifest, split)


def _map(
    manifest: Path, shard: Shard, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    path = manifest.parent / shard.file
    size = path.stat().st_size if path.is_file() else 0
    if size != shard.bytes:
        raise UserError(
            f"{path}: has {size} bytes, but {manifest} says {shard.bytes}; "
            "prepare the data set again"
        )
    if sha256(path) != shard.sha256:  # about a second a GB, once a stage
        raise UserError(f"{path}: its content has changed; prepare the data set again")
    mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    if mapped.dtype != dtype or mapped.shape != shape:
        raise UserError(
            f"{path}: holds {mapped.dtype} {mapped.shape}, but {manifest} says {dtype} "
            f"{shape}; prepare the data set again"
        )
    return mapped
