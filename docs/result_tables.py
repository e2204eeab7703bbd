"""Views as Markdown: tables, values and numbers of `docs/results`."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

import result_files
from rarl.report.frame import CELL
from rarl.runtime.errors import UserError
from result_files import RESULTS
from views import Cell, NumberView, RecordsView, TableView, ValueView, View

UNKNOWN = "not measured yet"


def render(view: View, folder: str, results: Path = RESULTS) -> str:
    """The Markdown of a view; `folder` is the link from the document to the results.

    Raises `UserError` that names what is missing.
    """
    match view:
        case TableView():
            return _table(view, folder, results)
        case ValueView():
            return _text(view.show, result_files.summary(view.file, results), view.file)
        case NumberView():
            found = result_files.value(view.file, view.key, results)
            return UNKNOWN if found is None else view.format.format(found)
        case RecordsView():
            return _records(view, folder, results)


def _table(view: TableView, folder: str, results: Path) -> str:
    cells = result_files.summary(view.file, results)
    lines = _head([view.heading, *view.columns])
    for row in view.rows:
        try:
            shown = [view.cell(row, column) for column in view.columns]
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise UserError(f"row {row}: {first['loc'][0]}: {first['msg']}") from None
        lines.append(line_of([row, *(_text(cell, cells, view.file) for cell in shown)]))
    caption = view.caption.format(count=_counts(view, cells))
    return "\n".join([*lines, "", _source(caption, view.file, folder, results)])


def _counts(view: TableView, cells: pd.DataFrame) -> str:
    """The number of seeds behind the cells of a table."""
    shown = [
        _line(view.cell(row, column), cells, view.file)
        for row in view.rows
        for column in view.columns
    ]
    counts = {int(line["count"]) for line in shown}
    return " or ".join(map(str, sorted(counts)))


def _text(cell: Cell, cells: pd.DataFrame, name: str) -> str:
    line = _line(cell, cells, name)
    text = _number(line["mean"], cell)
    if cell.spread != "none" and not pd.isna(line[cell.spread]):
        text += f" ± {_number(line[cell.spread], cell)}"
    if cell.against not in (None, cell.method):
        first = _line(cell.model_copy(update={"method": cell.against}), cells, name)
        text += f" ({line['mean'] / first['mean'] - 1:+.1%})"
    return text


def _line(cell: Cell, cells: pd.DataFrame, name: str) -> "pd.Series[float]":
    """The one line of a summary that a cell shows."""
    wanted = {key: getattr(cell, key) for key in CELL if getattr(cell, key) is not None}
    found = cells
    for key, value in wanted.items():
        found = found[found[key] == value]
    if len(found) != 1:
        raise UserError(f"{name}: {len(found)} cells, not one, are of {wanted}")
    return found.iloc[0]


def _number(value: float, cell: Cell) -> str:
    if cell.style == "percent":
        return f"{value:.{cell.digits}%}"
    return f"{value:,.{cell.digits}f}"


def _records(view: RecordsView, folder: str, results: Path) -> str:
    lines = _head(list(view.columns))
    for record in result_files.value(view.file, view.key, results):
        lines.append(line_of([form.format(**record) for form in view.columns.values()]))
    return "\n".join([*lines, "", _source("", view.file, folder, results)])


def _head(headings: list[str]) -> list[str]:
    return [line_of(headings), line_of(["---", *("---:" for _ in headings[1:])])]


def _source(caption: str, name: str, folder: str, results: Path) -> str:
    commit = result_files.commit_of(name, results)
    return f"{caption + ' ' if caption else ''}Source: [{name}]({folder}/{name}), commit {commit}."


def line_of(cells: Sequence[str]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
