"""Frechet distances as a stage wrote them, checked to be comparable. Imports no torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rarl.runtime.errors import UserError
from rarl.runtime.files import read_json


@dataclass(frozen=True)
class Protocol:
    """What a distance depends on beside the pictures; figures compare only under one."""

    label: str  # of the metric, e.g. FID
    extractor: str
    weights_sha256: str
    resize: str
    reference: str  # reconstructions or images
    count_reference: int  # pictures
    count_samples: int  # pictures for each seed

    def line(self) -> str:
        return (
            f"{self.label}, {self.count_samples:,} pictures against "
            f"{self.count_reference:,} training {self.reference}; extractor {self.extractor} "
            f"(SHA-256 {self.weights_sha256[:12]}), resize {self.resize}"
        )


@dataclass(frozen=True)
class Distance:
    """One cell of a table: the distances of one method over its sampling seeds."""

    protocol: Protocol
    seeds: tuple[int, ...]
    mean: float
    std: float | None  # None for a single seed
    warning: str | None


def read(path: Path) -> Distance:
    """Reads a distance.json. Raises `UserError` when it isn't one."""
    try:
        raw: dict[str, Any] = read_json(path)
        return Distance(
            protocol=Protocol(**{name: raw[name] for name in Protocol.__dataclass_fields__}),
            seeds=tuple(raw["seeds"]),
            mean=float(raw["mean"]),
            std=raw["std"],
            warning=raw["warning"],
        )
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: is no result of the distance stage ({error!r}); delete it and run again"
        ) from None


def common_protocol(column: list[Distance], heading: str) -> Protocol:
    """The protocol of all distances of a column. Raises `UserError` when they differ."""
    first = column[0].protocol
    for other in column[1:]:
        for name in Protocol.__dataclass_fields__:
            ours, theirs = getattr(first, name), getattr(other.protocol, name)
            if ours != theirs:
                raise UserError(
                    f"column '{heading}': {name} is {ours} in one row and {theirs} in another, "
                    "so the distances do not compare; delete its distance.json files and run again"
                )
    return first
