"""Seconds to sample a batch of rollouts. Imports no torch."""

from rarl.config import Count
from rarl.results.result import Result


class Seconds(Result):
    """Of one way of sampling."""

    batch_size: Count
    device: str
    seconds: tuple[float, ...]  # of each repetition
