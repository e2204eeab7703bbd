"""Tables whose cells are Frechet distances: what the kinds `distance` and `reconstruction` share.

Imports no torch.
"""

from collections.abc import Sequence

import pandas as pd

from rarl.config.stages.report import Measurements
from rarl.report.distances import Measured, protocol_notes, protocols_of
from rarl.report.frame import gather, summarise, with_summary
from rarl.report.gains import gain_notes, paired
from rarl.report.logs import Selected
from rarl.report.measured import (
    by_extractor,
    iteration_notes,
    measured,
    paper_of,
    pivot,
    spread_of,
    with_paper,
)
from rarl.report.table import Cell, Table


def distance_table(
    found: Sequence[Measured], selected: Sequence[Selected | None], settings: Measurements
) -> Table:
    """Of each of the settings' runs, and what was selected; None for real images.

    Cells are mean ± deviation over the sampling seeds.

    Raises `UserError` when the distances of a column were not computed alike.
    """
    protocols = {of.name: protocols_of(of, found, of.heading) for of in settings.columns}
    parts = [of.observe(kept) for of, kept in zip(found, selected, strict=True)]
    distances = gather(parts)
    gains = paired(distances, settings.rows[0].name)
    summary = with_paper(summarise(distances, "sampling_seed"), settings)
    cells = pivot(summary, _cell, rows=["method"], columns=["experiment", "extractor"])
    headings = {
        (column.name, protocol.extractor): (
            f"{column.heading}, {protocol.label}" if len(column.extractors) > 1 else column.heading,
            None if number else column.heading,
        )
        for column in settings.columns
        for number, protocol in enumerate(protocols[column.name])
    }
    spread = ": mean ± standard deviation over the seeds" if found[0].results[0].seeds else ""
    notes = [f"Fréchet distances, lower is better{spread}.", ""]
    for column in settings.columns:
        notes += protocol_notes(column, found, column.heading)
        notes += gain_notes(gains, settings, column)
    notes += [*iteration_notes(distances, settings), *settings.notes]
    if any(value is not None for row in settings.paper for value in row or ()):
        foreign = {protocol.label for of in protocols.values() for protocol in of} - {"FID"}
        verdict = f", not comparable with {' or '.join(sorted(foreign))}" if foreign else ""
        notes += ["", f"(paper: …) is the paper's FID on its own images{verdict}."]
    return Table(
        settings.title,
        "Method",
        by_extractor(cells, [row.label for row in settings.rows], headings),
        with_summary(
            gather([distances, gains]), gather([summary, summarise(gains, "sampling_seed")])
        ),
        notes,
    )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), paper=paper_of(line), start=line["start"])
