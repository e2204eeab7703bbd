"""Precision, recall and KID of samples, and what an image costs. Imports no torch."""

from rarl.results.result import Result


class Quality(Result):
    """Of one method, each metric for each sampling seed; or of real images, once."""

    precision: tuple[float, ...]  # share of samples within the real manifold
    recall: tuple[float, ...]  # share of real images within the samples' manifold
    kid: tuple[float, ...]  # squared MMD
    seconds_per_image: float | None  # that is kept; None for real images
    device: str | None  # on which it was sampled
