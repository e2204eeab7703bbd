"""A table before it is text: CSV for programs, Markdown for people. Imports no torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import pandas as pd

Item = TypeVar("Item")


class Cell(NamedTuple):
    """What programs read, and what people read."""

    value: str
    text: str


class Cells(NamedTuple):
    """The cells of a table: two frames of text with the same labels."""

    values: pd.DataFrame
    texts: pd.DataFrame

    def labelled(self, rows: Sequence[str], columns: Sequence[str]) -> "Cells":
        """The same cells under other labels."""
        values, texts = (
            of.set_axis(list(rows), axis=0).set_axis(list(columns), axis=1) for of in self
        )
        return Cells(values, texts)


@dataclass(frozen=True)
class Table:
    """Labelled cells, the tidy frame behind them, and what is said about them."""

    title: str
    index_label: str  # heading of the row labels
    cells: Cells  # the index holds the row labels, the columns the headings
    long: pd.DataFrame  # tidy: one row for each measurement (`rarl.report.frame`)
    notes: Sequence[str] = ()  # lines of Markdown below

    def with_notes(self, lines: Iterable[str]) -> "Table":
        """The same table with more notes."""
        return replace(self, notes=[*self.notes, *lines])

    def csv(self) -> str:
        """The index label in lower case and the headings, then the values."""
        label = self.index_label.lower()
        return self.cells.values.to_csv(index_label=label, lineterminator="\n")

    def long_csv(self) -> str:
        """The tidy frame."""
        return self.long.to_csv(index=False, lineterminator="\n")

    def markdown(self) -> str:
        texts = self.cells.texts
        lines = [f"# {self.title}", "", _line([self.index_label, *texts.columns])]
        lines.append(_line(["---", *("---:" for _ in texts.columns)]))
        lines += [_line(row) for row in texts.itertuples(name=None)]
        return "\n".join([*lines, *(["", *self.notes] if self.notes else [])]) + "\n"


def in_rows(items: Sequence[Item], height: int) -> list[list[Item]]:
    """Row-major items as `height` rows. Raises ValueError when they do not fill the rows."""
    if not height or len(items) % height:
        raise ValueError(f"{len(items)} cells do not fill {height} rows")
    width = len(items) // height
    return [list(items[start : start + width]) for start in range(0, len(items), width)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
