"""Opens a data set by its kind."""

from rarl import kinds
from rarl.config import Dataset
from rarl.data.images import Source


def open_source(dataset: Dataset, image_size: int) -> Source:
    """The stream of a data set's images. Raises `UserError` when it is missing or malformed.

    `image_size`: pixels, for a kind that renders its images.
    """
    found: Source = kinds.load(kinds.DATASETS, dataset.kind).open_source(dataset, image_size)
    return found
