"""Distance, precision, recall, KID and cost of methods side by side. Imports no torch."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from rarl.config.stages.report import Run, TableSettings
from rarl.report.distances import Distance, common_protocol, observe_distances
from rarl.report.frame import gather, observe, runs, summarise, with_summary
from rarl.report.logs import Selected
from rarl.report.measured import iteration_notes, measured, pivot, spread_of, with_paper
from rarl.report.table import Cell, Table

HEADINGS = {  # metric: heading
    "distance": "distance",
    "precision": "precision",
    "recall": "recall",
    "kid": "KID",
    "seconds": "seconds a picture",
}
UNITS = {"precision": "share", "recall": "share", "kid": "squared MMD"}
DIGITS = {"distance": 2, "precision": 3, "recall": 3, "kid": 3, "seconds": 4}


def table(
    distances: Sequence[Distance],
    qualities: Sequence[dict[str, Any]],
    selected: Sequence[Selected],
    settings: TableSettings,
) -> Table:
    """One distance and one result of the stage `quality` for each method."""
    protocol = common_protocol(list(distances), settings.title)
    parts = []
    for run, distance, quality, kept in zip(
        runs(settings), distances, qualities, selected, strict=True
    ):
        parts.append(observe_quality(run, distance, quality, kept))
        seconds = [quality["seconds_per_picture"]]
        parts.append(observe(run, "seconds", "s an image", seconds, protocol=quality["device"]))
    observations = gather(parts)
    summary = with_paper(summarise(observations, "sampling_seed"), settings)
    cells = pivot(summary, _cell, rows=["method"], columns="metric")
    devices = sorted({quality["device"] for quality in qualities})
    notes = [
        f"- distance: {protocol.line()}",
        "- precision, recall (Kynkäänniemi et al. 2019), KID: on the same features, against "
        "reconstructions of training pictures; higher, higher, lower is better",
        f"- seconds for each picture that is kept, on {' and '.join(devices)}",
        f"- mean ± standard deviation over {len(distances[0].seeds)} sampling seeds",
        *iteration_notes(observations, settings),
        *settings.notes,
    ]
    return Table(
        settings.title,
        "Method",
        cells.labelled([row.label for row in settings.rows], list(HEADINGS.values())),
        with_summary(observations, summary),
        notes,
    )


def observe_quality(
    run: Run, distance: Distance, quality: dict[str, Any], selected: Selected
) -> pd.DataFrame:
    """Distance, precision, recall and KID of each sampling seed, all on the same features."""
    return gather(
        [
            observe_distances(run, distance, selected),
            *(
                observe(
                    run,
                    metric,
                    unit,
                    quality[metric],
                    sampling_seeds=distance.seeds,
                    extractor=distance.protocol.extractor,
                    protocol=distance.protocol.line(),
                    selected=selected,
                )
                for metric, unit in UNITS.items()
            ),
        ]
    )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), DIGITS[line["metric"]], start=line["start"])
