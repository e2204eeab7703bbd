"""What many jobs draw in pieces, put together again. Imports no torch."""

from collections.abc import Iterable, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from rarl.runtime.errors import UserError

Content = TypeVar("Content", bound=Sized)


@dataclass(frozen=True)
class Piece(Generic[Content]):
    """Some images of a sampling seed, from image `first` on, or what was made of them."""

    path: Path
    seed: int | None  # None: of images that are no samples
    first: int
    content: Content


def merge_shards(pieces: Iterable[Piece[Content]]) -> dict[int | None, list[Content]]:
    """The pieces of each seed in the order of their images.

    Raises `UserError` where images are missing between two pieces, or are there twice.
    """
    seeds: dict[int | None, list[Piece[Content]]] = {}
    for piece in pieces:
        seeds.setdefault(piece.seed, []).append(piece)
    for own in seeds.values():
        own.sort(key=lambda piece: piece.first)
        reached = 0
        for piece in own:
            if piece.first != reached:
                raise UserError(
                    f"{piece.path}: begins with image {piece.first} of seed {piece.seed}, but "
                    f"the pieces before it end at {reached}; delete them and run again"
                )
            reached += len(piece.content)
    return {seed: [piece.content for piece in own] for seed, own in seeds.items()}
