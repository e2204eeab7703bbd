"""Frechet distances as a stage wrote them, checked to be comparable. Imports no torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rarl.config.stages.report import Run
from rarl.report.frame import observe
from rarl.report.logs import Selected
from rarl.runtime.errors import UserError
from rarl.runtime.files import read_json

UNIT = "squared feature units"


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
    """The distances of one method, one for each sampling seed; of reconstructions one alone."""

    protocol: Protocol
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    warning: str | None


def read(path: Path) -> Distance:
    """Reads a distance.json. Raises `UserError` when it isn't one."""
    try:
        raw: dict[str, Any] = read_json(path)
        return Distance(
            protocol=Protocol(**{name: raw[name] for name in Protocol.__dataclass_fields__}),
            seeds=tuple(raw["seeds"]),
            values=tuple(map(float, raw["distances"])),
            warning=raw["warning"],
        )
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: is no result of the distance stage ({error!r}); delete it and run again"
        ) from None


def observe_distances(run: Run, distance: Distance, selected: Selected | None) -> pd.DataFrame:
    """The rows of the tidy frame."""
    return observe(
        run,
        "distance",
        UNIT,
        distance.values,
        sampling_seeds=distance.seeds,
        extractor=distance.protocol.extractor,
        protocol=distance.protocol.line(),
        selected=selected,
    )


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
