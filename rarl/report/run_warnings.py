"""Warnings of the training runs behind a table, for the notes below it. Imports no torch."""

from collections.abc import Sequence
from pathlib import Path

from rarl.report.curves import read


def lines(metrics: Sequence[Path]) -> list[str]:
    """One line of Markdown for each run that logged any: the first, and how many."""
    notes = []
    for path in metrics:
        found = [line for line in read(path) if "warning" in line]
        if found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            first = f"step {found[0]['step']}: {found[0]['warning']}"
            run = "/".join(path.with_suffix("").parts[-3:])  # experiment, method, stage
            notes.append(f"- warning: {run}, {first}{more}")
    return notes
