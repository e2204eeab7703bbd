"""Seconds to draw a batch of rollouts, whole or in part (paper's Table 11). Imports no torch."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from rarl.config.stages.report import TableSettings
from rarl.report.frame import gather, observe, runs, summarise, with_summary
from rarl.report.measured import measured, paper_of, pivot, spread_of, with_paper
from rarl.report.table import Cell, Table


def table(results: Sequence[dict[str, Any]], settings: TableSettings) -> Table:
    """One result of the stage `seconds` for each of the settings' runs."""
    observations = gather(
        [
            observe(
                run,
                "seconds",
                "s a batch",
                of["seconds"],
                protocol=f"batch of {of['batch_size']} on {of['device']}",
            )
            for run, of in zip(runs(settings), results, strict=True)
        ]
    )
    summary = with_paper(summarise(observations, "sampling_seed"), settings)
    cells = pivot(summary, _cell, rows=["method"], columns="experiment")
    batches = sorted({of["batch_size"] for of in results})
    devices = sorted({of["device"] for of in results})
    notes = [
        f"Seconds to draw a batch of {' or '.join(map(str, batches))} pictures' codes, mean ± "
        f"standard deviation of {len(results[0]['seconds'])} batches; on {' and '.join(devices)}.",
        *settings.notes,
    ]
    if any(settings.paper):
        notes.append("(paper: …) is the paper's time on its own GPU with its own models.")
    return Table(
        settings.title,
        "Method",
        cells.labelled(
            [row.label for row in settings.rows],
            [column.heading for column in settings.columns],
        ),
        with_summary(observations, summary),
        notes,
    )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), paper=paper_of(line))
