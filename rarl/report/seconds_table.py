"""Seconds to draw a batch of rollouts, whole or in part (paper's Table 11). Imports no torch."""

from collections.abc import Sequence
from typing import Any

from rarl.report.sheet import Sheet, in_rows, measured_rows
from rarl.stage_settings import TableSettings


def sheet(results: Sequence[dict[str, Any]], settings: TableSettings) -> Sheet:
    """Row-major results of the stage `seconds`."""
    rows = in_rows(results, len(settings.labels))
    lines = measured_rows([[(of["mean"], of["std"]) for of in row] for row in rows], settings)
    batches = sorted({of["batch_size"] for of in results})
    devices = sorted({of["device"] for of in results})
    notes = [
        f"Seconds to draw a batch of {' or '.join(map(str, batches))} pictures' codes, mean ± "
        f"standard deviation of {len(results[0]['seconds'])} batches; on {' and '.join(devices)}."
    ]
    if any(settings.paper):
        notes.append("(paper: …) is the paper's time on its own GPU with its own models.")
    return Sheet(settings.title, "Method", settings.headings, lines, notes)
