"""Precision, recall and KID of samples, and what an image costs. Imports no torch."""

from rarl.results.result import Result


class Quality(Result):
    """Of one method; each metric has a value for each sampling seed."""

    precision: tuple[float, ...]  # share of samples within the real manifold
    recall: tuple[float, ...]  # share of real images within the samples' manifold
    kid: tuple[float, ...]  # squared MMD
    seconds_per_image: float  # that is kept
    device: str  # on which it was sampled
