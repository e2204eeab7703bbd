"""Precision, recall and KID of samples, and what an image costs. Imports no torch."""

from rarl.config import Count, Settings
from rarl.results.result import Result


class Memorisation(Settings):
    """Samples near a training image, beside held-out images (`rarl.metrics.memorisation`)."""

    shares: tuple[float, ...]  # of samples, for each sampling seed
    expected: float  # of samples that are distributed as the held-out images
    low: float  # of the interval that then holds the share of one seed
    high: float
    confidence: float  # of the interval
    training: Count  # images
    held_out: Count  # images


class Quality(Result):
    """Of one method, each metric for each sampling seed; or of real images, once."""

    precision: tuple[float, ...]  # share of samples within the real manifold
    recall: tuple[float, ...]  # share of real images within the samples' manifold
    kid: tuple[float, ...]  # squared MMD
    memorisation: Memorisation | None  # None for real images
    seconds_per_image: float | None  # that is kept; None for real images
    device: str | None  # on which it was sampled
