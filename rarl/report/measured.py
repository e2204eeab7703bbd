"""Measured tables: pivots of the tidy frame, with what each cell shows. Imports no torch."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from rarl.config.stages.report import Measurements
from rarl.report.logs import shown_iteration
from rarl.report.table import Cell, Cells


def measured(
    mean: float,
    spread: float | None,
    digits: int = 2,
    *,
    paper: float | None = None,
    start: bool = False,
) -> Cell:
    """A mean with its spread and, beside it, the paper's value.

    `start`: the cell is of a model that its fine-tuning did not change.
    """
    text = f"{mean:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")
    beside = ["its start"] if start else []
    beside += [] if paper is None else [f"paper: {paper:g}"]
    return Cell(f"{mean:.{digits + 2}f}", text + (f" ({'; '.join(beside)})" if beside else ""))


def pivot(
    summary: pd.DataFrame,
    cell: Callable[[pd.Series], Cell],
    *,
    rows: list[str],
    columns: list[str],
) -> Cells:
    """The cells of a summary, `cell` of each line, in the order in which the lines come.

    A cell that no line fills is blank.
    """
    made = pd.DataFrame([cell(line) for _, line in summary.iterrows()], index=summary.index)
    filled = summary.join(made)
    down, across = _in_order(filled, rows), _in_order(filled, columns)
    parts = (filled.pivot(index=rows, columns=columns, values=part) for part in Cell._fields)
    return Cells(*(part.reindex(index=down, columns=across).fillna("") for part in parts))


def _in_order(filled: pd.DataFrame, names: list[str]) -> pd.Index:
    """The values of columns as they first come."""
    order = pd.MultiIndex.from_frame(filled[names].drop_duplicates())
    return order if len(names) > 1 else order.get_level_values(0)


def with_paper(summary: pd.DataFrame, settings: Measurements) -> pd.DataFrame:
    """A summary beside the paper's values, NaN where the paper has none.

    Of several extractors the first alone stands beside them.
    """
    values = [
        (column.name, row.name, value)
        for row, papers in zip(settings.rows, settings.paper, strict=True)
        for column, value in zip(settings.columns, papers or (), strict=False)
    ]
    paper = pd.DataFrame(values, columns=["experiment", "method", "paper"])
    found = summary.merge(paper.astype({"paper": float}), how="left", sort=False)
    first = found["experiment"].map({of.name: of.extractors[0] for of in settings.columns})
    return found.assign(
        paper=found["paper"].where(found["extractor"].isin([""]) | (found["extractor"] == first))
    )


def by_extractor(
    cells: Cells, rows: Sequence[str], headings: Mapping[tuple[str, str], tuple[str, str | None]]
) -> Cells:
    """Cells whose columns are pairs, the second of each an extractor, in the order of `headings`.

    `headings`: of the column for people and in the CSV, None for a column that the CSV lacks: it
    keeps the columns of the first extractor, however many there are.
    """
    values, texts = (part.reindex(columns=list(headings), fill_value="") for part in cells)
    kept = [key for key, (_, name) in headings.items() if name is not None]
    return Cells(
        values[kept].set_axis(list(rows)).set_axis([headings[key][1] for key in kept], axis=1),
        texts.set_axis(list(rows)).set_axis([shown for shown, _ in headings.values()], axis=1),
    )


def spread_of(line: pd.Series) -> float | None:
    """The deviation of a line of a summary; None for a single value."""
    return None if pd.isna(line["deviation"]) else float(line["deviation"])


def paper_of(line: pd.Series) -> float | None:
    """The paper's value on a line of a summary."""
    return None if pd.isna(line["paper"]) else float(line["paper"])


def iteration_notes(observations: pd.DataFrame, settings: Measurements) -> list[str]:
    """Which iteration of how many each method of a column shows."""
    labels = {row.name: row.label for row in settings.rows}
    shown = observations[["experiment", "method", "training_seed", "iteration", "iterations"]]
    shown = shown.dropna(subset="iteration").drop_duplicates()
    notes = []
    for column in settings.columns:
        of = shown[shown["experiment"] == column.name]
        texts = [
            f"{labels[str(method)]}, "
            + ", ".join(map(shown_iteration, runs["iteration"], runs["iterations"]))
            for method, runs in of.groupby("method", sort=False)
        ]
        if texts:
            where = f"{column.heading}: " if column.heading else ""
            notes.append(f"- {where}shown are {'; '.join(texts)}")
    return notes
