"""Frechet distances as rows of the tidy frame, checked to be comparable. Imports no torch."""

from collections.abc import Sequence

import pandas as pd

from rarl.config.stages.report import Run
from rarl.report.frame import observe
from rarl.report.logs import Selected
from rarl.results.distances import Distances, Protocol
from rarl.runtime.errors import UserError

UNIT = "squared feature units"


def observe_distances(run: Run, distance: Distances, selected: Selected | None) -> pd.DataFrame:
    """The rows of the tidy frame."""
    return observe(
        run,
        "distance",
        UNIT,
        distance.distances,
        sampling_seeds=distance.seeds,
        extractor=distance.protocol.extractor,
        protocol=distance.protocol.line(),
        selected=selected,
    )


def common_protocol(column: Sequence[Distances], heading: str) -> Protocol:
    """The protocol of all distances of a column. Raises `UserError` when they differ."""
    first = column[0].protocol
    for other in column[1:]:
        for name in Protocol.model_fields:
            ours, theirs = getattr(first, name), getattr(other.protocol, name)
            if ours != theirs:
                raise UserError(
                    f"column '{heading}': {name} is {ours} in one row and {theirs} in another, "
                    "so the distances do not compare; delete its distance.json files and run again"
                )
    return first
