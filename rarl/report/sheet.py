"""A table before it is text: CSV for programs, Markdown for people. Imports no torch."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from rarl.stage_settings import TableSettings

Of = TypeVar("Of")


@dataclass(frozen=True)
class Cell:
    """What programs read, and what people read."""

    value: str
    text: str


@dataclass(frozen=True)
class Sheet:
    title: str
    corner: str  # heading of the labels
    headings: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]  # label and cells
    notes: Sequence[str] = ()  # lines of Markdown below

    def noting(self, lines: Sequence[str]) -> "Sheet":
        """The same with more notes."""
        return replace(self, notes=[*self.notes, *lines])

    def csv(self) -> str:
        """The corner in lower case and the headings, then the values."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([self.corner.lower(), *self.headings])
        for label, cells in self.rows:
            writer.writerow([label, *(cell.value for cell in cells)])
        return text.getvalue()

    def markdown(self) -> str:
        lines = [f"# {self.title}", "", _line([self.corner, *self.headings])]
        lines.append(_line(["---", *("---:" for _ in self.headings)]))
        lines += [_line([label, *(cell.text for cell in cells)]) for label, cells in self.rows]
        return "\n".join([*lines, *(["", *self.notes] if self.notes else [])]) + "\n"


def measured(mean: float, std: float | None, paper: float | None, digits: int = 2) -> Cell:
    """A figure with its deviation and, beside it, the paper's."""
    spread = "" if std is None else f" ± {std:.{digits}f}"
    beside = "" if paper is None else f" (paper: {paper:g})"
    return Cell(f"{mean:.{digits + 2}f}", f"{mean:.{digits}f}{spread}{beside}")


def measured_rows(
    rows: Sequence[Sequence[tuple[float, float | None]]], settings: TableSettings
) -> list[tuple[str, list[Cell]]]:
    """Means and deviations, row by row, as labelled cells with the paper's figures beside them."""
    lines = []
    for label, row, paper in zip(settings.labels, rows, settings.paper, strict=True):
        figures = paper or (None,) * len(row)
        cells = [measured(*cell, figure) for cell, figure in zip(row, figures, strict=True)]
        lines.append((label, cells))
    return lines


def in_rows(items: Sequence[Of], height: int) -> list[list[Of]]:
    """Row-major items as `height` rows. Raises ValueError when they don't fill them."""
    if not height or len(items) % height:
        raise ValueError(f"{len(items)} cells do not fill {height} rows")
    width = len(items) // height
    return [list(items[start : start + width]) for start in range(0, len(items), width)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
