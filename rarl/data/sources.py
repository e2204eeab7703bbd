"""Opens a data set by its kind."""

from rarl.config import CelebA, CelebAHQ, Dataset, Folder, Lsun, OpenMoji
from rarl.data import celeba, folder, lsun, openmoji
from rarl.data.pictures import Source


def open_source(dataset: Dataset, image_size: int) -> Source:
    """The stream of a data set's pictures. Raises `UserError` when it is missing or malformed."""
    match dataset:
        case OpenMoji():
            return openmoji.open_source(dataset, image_size)
        case Folder() | CelebAHQ():
            return folder.open_source(dataset)
        case CelebA():
            return celeba.open_source(dataset)
        case Lsun():
            return lsun.open_source(dataset)
