"""Seconds to draw a batch of rollouts, whole or in part (paper's Table 11). Imports no torch."""

from collections.abc import Sequence
from typing import Any

from rarl.plan import TableSettings
from rarl.report.sheet import Sheet, in_rows, measured


def sheet(results: Sequence[dict[str, Any]], settings: TableSettings) -> Sheet:
    """Row-major results of the stage `seconds`."""
    lines = []
    rows = in_rows(results, len(settings.labels))
    for label, row, paper in zip(settings.labels, rows, settings.paper, strict=True):
        figures = paper or (None,) * len(row)
        cells = [
            measured(of["mean"], of["std"], figure) for of, figure in zip(row, figures, strict=True)
        ]
        lines.append((label, cells))
    batches = sorted({of["batch_size"] for of in results})
    devices = sorted({of["device"] for of in results})
    notes = [
        f"Seconds to draw a batch of {' or '.join(map(str, batches))} pictures' codes, mean ± "
        f"standard deviation of {len(results[0]['seconds'])} batches; on {' and '.join(devices)}."
    ]
    if any(settings.paper):
        notes.append("(paper: …) is the paper's time on its own GPU with its own models.")
    return Sheet(settings.title, "Method", settings.headings, lines, notes)
