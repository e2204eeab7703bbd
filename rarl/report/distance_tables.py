"""Tables whose cells are Frechet distances: what the kinds `distance` and `reconstruction` share.

Imports no torch.
"""

from collections.abc import Sequence

import pandas as pd

from rarl.config.stages.report import Measurements
from rarl.report.distances import common_protocol, observe_distances
from rarl.report.frame import gather, runs, summarise, with_summary
from rarl.report.logs import Selected
from rarl.report.measured import (
    iteration_notes,
    measured,
    paper_of,
    pivot,
    spread_of,
    with_paper,
)
from rarl.report.table import Cell, Table, in_rows
from rarl.results.distances import Distances


def distance_table(
    distances: Sequence[Distances], selected: Sequence[Selected | None], settings: Measurements
) -> Table:
    """One result for each of the settings' runs, and what was selected, None for reconstructions.

    Cells are mean ± deviation over the sampling seeds.

    Raises `UserError` when the distances of a column were not computed alike.
    """
    columns = [list(c) for c in zip(*in_rows(distances, len(settings.rows)), strict=True)]
    headings = [column.heading for column in settings.columns]
    protocols = [common_protocol(*pair) for pair in zip(columns, headings, strict=True)]
    measured_runs = zip(runs(settings), distances, selected, strict=True)
    observations = gather([observe_distances(*of) for of in measured_runs])
    summary = with_paper(summarise(observations, "sampling_seed"), settings)
    cells = pivot(summary, _cell, rows=["method"], columns="experiment")

    spread = ": mean ± standard deviation over the seeds" if distances[0].seeds else ""
    notes = [f"Fréchet distances, lower is better{spread}.", ""]
    for heading, protocol, column in zip(headings, protocols, columns, strict=True):
        seeds = ", ".join(str(seed) for seed in column[0].seeds)
        drawn = f"; sampling seeds {seeds}" if seeds else ""
        notes.append(f"- {heading}: {protocol.line()}{drawn}")
        warnings = dict.fromkeys(cell.warning for cell in column if cell.warning)
        notes += [f"- {heading}: warning: {warning}" for warning in warnings]
    notes += [*iteration_notes(observations, settings), *settings.notes]
    if any(value is not None for row in settings.paper for value in row or ()):
        foreign = {protocol.label for protocol in protocols} - {"FID"}
        verdict = f", not comparable with {' or '.join(sorted(foreign))}" if foreign else ""
        notes += ["", f"(paper: …) is the paper's FID on its own pictures{verdict}."]
    return Table(
        settings.title,
        "Method",
        cells.labelled([row.label for row in settings.rows], headings),
        with_summary(observations, summary),
        notes,
    )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), paper=paper_of(line), start=line["start"])
