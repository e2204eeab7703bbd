"""Seconds that samples took. Imports no torch."""

from rarl.config import Count
from rarl.results.result import Result


class Timing(Result):
    """Of the samples of one shard of a sampling seed."""

    images: Count
    seconds: float
    device: str
