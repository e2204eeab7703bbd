"""Frechet distances. Imports no torch."""

from rarl.config import Count, CountOrZero, Settings
from rarl.results.result import Result


class Protocol(Settings):
    """What a distance depends on beside the images; distances compare only under one."""

    label: str  # of the metric, e.g. FID
    extractor: str
    weights_sha256: str
    resize: str
    reference: str  # reconstructions or images
    count_reference: Count  # images
    count_samples: Count  # images for each seed

    def line(self) -> str:
        """For people."""
        return (
            f"{self.label}, {self.count_samples:,} images against "
            f"{self.count_reference:,} training {self.reference}; extractor {self.extractor} "
            f"(SHA-256 {self.weights_sha256[:12]}), resize {self.resize}"
        )


class Distances(Result):
    """The distances of one method, one for each sampling seed; of real images one alone."""

    protocol: Protocol
    seeds: tuple[CountOrZero, ...]  # empty for real images and for reconstructions
    distances: tuple[float, ...]  # squared feature units
    extrapolated: tuple[float, ...] | None  # to infinitely many samples; None: not asked for
    warning: str | None
