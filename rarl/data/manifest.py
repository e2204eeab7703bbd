"""The manifest of a prepared data set: what it holds and where it came from."""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from rarl.config import ConfigError, Count, CountOrZero, Settings
from rarl.runtime.errors import UserError

FORMAT: Literal[2] = 2


class Shard(Settings):
    file: str  # relative to the manifest
    count: Count
    bytes: Count
    sha256: str


class SplitEntry(Settings):
    count: Count
    groups: Count  # of images that resemble each other
    shards: Annotated[tuple[Shard, ...], Field(min_length=1)]
    ranks: Shard  # (count,) int64: rank of each image's group (`rarl.data.groups`)


class Reason(Settings):
    name: str
    reason: str


class Unreadable(Settings):
    """The images that were left out; `images` names the first 100 of them."""

    count: CountOrZero
    images: tuple[Reason, ...]


class Manifest(Settings):
    format: Literal[2]
    image_size: Count
    source: str
    dataset: dict[str, Any]  # the settings as given
    resize: str  # filter
    tools: dict[str, str]  # versions that decide the pixels
    splits: Annotated[dict[Literal["train", "val"], SplitEntry], Field(min_length=2)]
    counts: dict[str, CountOrZero]  # what the source found and left out
    unreadable: Unreadable
    hash: str  # of the shards' hashes


def hash_of(splits: dict[Literal["train", "val"], SplitEntry]) -> str:
    """SHA-256 over a line `file sha256` for each file: equal only for equal pixels and groups."""
    files = [file for of in splits.values() for file in (*of.shards, of.ranks)]
    lines = [f"{file.file} {file.sha256}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read(path: Path) -> Manifest:
    """Reads a manifest. Raises `UserError` when it is missing, malformed or of another format."""
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ConfigError) as error:
        raise UserError(
            f"{path}: cannot be read as a manifest ({error}); prepare the data set again"
        ) from None
