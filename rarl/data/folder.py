"""Any tree of images, and CelebA-HQ as one."""

import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from rarl.config import CelebAHQ, Folder
from rarl.data.decode import decode, require_size
from rarl.data.images import Source, arrange, split_of, stream
from rarl.runtime.errors import UserError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
CELEBA_HQ_SIZES = ((512, 512), (1024, 1024))
CELEBA_HQ_FROM = "https://github.com/switchablenorms/CelebAMask-HQ (its folder CelebA-HQ-img)"


def open_source(settings: Folder | CelebAHQ, _image_size: int) -> Source:
    """The images below a folder, split by their path in it; only their names are held.

    Files whose suffix is no image's and hidden files and folders are passed over; links to
    folders are not followed. CelebA-HQ images are unreadable unless of 512 or 1024 pixels.
    Raises `UserError` when the folder is missing.
    """
    root = Path(settings.path).expanduser()
    high_quality = isinstance(settings, CelebAHQ)
    if not root.is_dir():
        advice = (
            f"get CelebA-HQ of 512 or 1024 pixels from {CELEBA_HQ_FROM} and put its images there"
            if high_quality
            else "put your images there, in any tree, or correct path"
        )
        raise UserError(f"dataset of kind {settings.kind}: no folder {root}; {advice}")

    def read(name: str) -> Image.Image:
        image = decode(root / name)
        return require_size(image, CELEBA_HQ_SIZES) if high_quality else image

    kept = arrange(
        ((name, split_of(name, settings.val_fraction)) for name in _names(root)),
        settings.max_images,
    )
    return Source(f"{settings.kind} {root}", len(kept), settings.crop, stream(kept, read, str))


def _names(root: Path) -> Iterator[str]:
    """Paths of images below `root`, with forward slashes."""

    def fail(error: OSError) -> None:
        raise UserError(f"{error.filename}: cannot be listed: {error.strerror}") from None

    for folder, below, files in os.walk(root, onerror=fail):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in files:
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield (Path(folder) / name).relative_to(root).as_posix()
