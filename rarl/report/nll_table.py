"""NLLs of the oracle experiment (paper's Table 4 and its text). Imports no torch."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from rarl.config.stages.report import TableSettings
from rarl.report.frame import gather, observe, runs, summarise, with_summary
from rarl.report.logs import Selected
from rarl.report.measured import iteration_notes, measured, pivot, spread_of, with_paper
from rarl.report.table import Cell, Table

METRICS = ("NLL_oracle", "NLL_test")


def table(
    results: Sequence[dict[str, Any]], selected: Sequence[Selected], settings: TableSettings
) -> Table:
    """One result of the stage `nll` for each method."""
    parts = []
    for run, of, kept in zip(runs(settings), results, selected, strict=True):
        samples = of["nll_oracle"], (of["nll_test"],)
        counts = f"{of['count_samples']:,} sampled", f"{of['count_val']:,} held-out"
        for metric, values, count in zip(METRICS, samples, counts, strict=True):
            protocol = f"of {count} code grids"
            parts.append(observe(run, metric, of["unit"], values, protocol=protocol, selected=kept))
    observations = gather(parts)
    summary = with_paper(summarise(observations, "sampling_seed"), settings)
    cells = pivot(summary, _cell, rows=["method"], columns="metric")
    first = results[0]
    notes = [
        f"- NLL_oracle: the oracle's of {first['count_samples']:,} code grids that the method "
        f"draws, {first['unit']}, over {len(first['nll_oracle'])} sampling seeds; of its own "
        f"draws the oracle's is {first['nll_oracle_of_its_own']:.4f}",
        f"- NLL_test: the method's of {first['count_val']:,} held-out grids of the oracle",
        *iteration_notes(observations, settings),
        *settings.notes,
    ]
    return Table(
        settings.title,
        "Method",
        cells.labelled([row.label for row in settings.rows], METRICS),
        with_summary(observations, summary),
        notes,
    )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), 4, start=line["start"])
