"""Warnings of the training runs behind a table, for the notes below it. Imports no torch."""

from collections.abc import Sequence
from pathlib import Path

from rarl.report.logs import read, series


def lines(metrics: Sequence[Path]) -> list[str]:
    """One line of Markdown for each run that logged any: the first, and how many."""
    notes = []
    for path in metrics:
        found = series(read(path), "warning")
        if len(found):
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            first = f"step {found.index[0]}: {found.iloc[0]}"
            run = "/".join(path.with_suffix("").parts[-3:])  # experiment, method, stage
            notes.append(f"- warning: {run}, {first}{more}")
    return notes
