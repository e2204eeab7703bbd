"""Figures over sampling seeds: what the stages that evaluate share."""

from collections.abc import Sequence
from statistics import fmean, stdev


def mean_std(name: str, values: Sequence[float]) -> dict[str, float | None]:
    """`<name>mean` and `<name>std`, the latter None for a single seed."""
    spread = stdev(values) if len(values) > 1 else None
    return {f"{name}mean": fmean(values), f"{name}std": spread}
