"""Aligned CelebA: images of 178x218, split by the official partition file or all of them."""

import re
from pathlib import Path

from PIL import Image

from rarl.config import CelebA
from rarl.config.celeba import CELEBA_HEIGHT, CELEBA_WIDTH
from rarl.data.decode import decode, require_size
from rarl.data.images import Source, Split, arrange, split_of, stream
from rarl.runtime.errors import UserError

FOLDER = "img_align_celeba"
PARTITION = "list_eval_partition.txt"
IMAGES = 202_599  # in the official archive
LINE = re.compile(r"(?P<name>[^\s/]+)\s+(?P<number>[012])")
SPLIT_OF_NUMBER: dict[str, Split] = {"0": "train", "1": "val"}  # 2 is test, which is not used
FROM = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"


def open_source(settings: CelebA, _image_size: int) -> Source:
    """The images of partitions 0 (train) and 1 (val), or all, of which a part is val.

    An image of another size than 178x218 is unreadable. With all images the partition file is not
    read. Raises `UserError` when a part of the layout is missing, the archive is not whole, a line
    of the partition file is malformed, or it names an image twice or one that is not there.
    """
    root = Path(settings.path).expanduser()
    _require(root, FOLDER, there=(root / FOLDER).is_dir())
    names = {entry.name for entry in (root / FOLDER).iterdir()}
    if settings.val_fraction is not None:
        names = {name for name in names if name.endswith(".jpg") and not name.startswith(".")}
        if len(names) != IMAGES:
            raise UserError(
                f"dataset of kind celeba: {root / FOLDER} holds {len(names)} of CelebA's "
                f"{IMAGES} images; unpack img_align_celeba.zip from {FROM} there, whole"
            )
        splits = {name: split_of(name, settings.val_fraction) for name in names}
    else:
        _require(root, PARTITION, there=(root / PARTITION).is_file())
        numbers = _partition(root / PARTITION, names)
        splits = {
            name: SPLIT_OF_NUMBER[number] for name, number in numbers.items() if number != "2"
        }
    kept = arrange(splits.items(), settings.max_images)

    def read(name: str) -> Image.Image:
        image = decode(root / FOLDER / name)
        return require_size(image, ((CELEBA_WIDTH, CELEBA_HEIGHT),))

    return Source(f"celeba {root}", len(kept), settings.crop, stream(kept, read, str))


def _require(root: Path, part: str, *, there: bool) -> None:
    if not there:
        raise UserError(
            f"dataset of kind celeba: {root / part} is missing; get img_align_celeba.zip and "
            f"{PARTITION} from {FROM} and unpack both in {root}"
        )


def _partition(path: Path, there: set[str]) -> dict[str, str]:
    """Number of the partition by name of the image."""
    numbers: dict[str, str] = {}
    for at, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        match = LINE.fullmatch(line.strip())
        if match is None:
            raise UserError(
                f"{path}, line {at}: '{line.strip()[:60]}' is not an image's name and 0, 1 or 2; "
                f"get the official file from {FROM}"
            )
        name = match["name"]
        if name in numbers:
            raise UserError(f"{path}, line {at}: names {name} twice; get the file from {FROM}")
        if name not in there:
            raise UserError(
                f"{path}, line {at}: {name} is not in {path.parent / FOLDER}; unpack "
                f"img_align_celeba.zip from {FROM} there, whole"
            )
        numbers[name] = match["number"]
    return numbers


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); get the file from {FROM}") from None
