"""A table of Frechet distances: CSV for programs, Markdown for people. Imports no torch."""

import csv
import io
from collections.abc import Sequence

from rarl.plan import TableSettings
from rarl.report.distances import Distance, common_protocol

Rows = list[list[Distance]]  # methods x experiments


def in_rows(distances: Sequence[Distance], settings: TableSettings) -> Rows:
    """Row-major distances as rows. Raises ValueError when they don't fill the table."""
    width, height = len(settings.headings), len(settings.labels)
    if len(distances) != width * height:
        raise ValueError(f"{len(distances)} distances for {height} rows of {width}")
    return [list(distances[start : start + width]) for start in range(0, width * height, width)]


def to_csv(rows: Rows, settings: TableSettings) -> str:
    """`method,<headings>`, then the mean distances, to four decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["method", *settings.headings])
    for label, row in zip(settings.labels, rows, strict=True):
        writer.writerow([label, *(f"{cell.mean:.4f}" for cell in row)])
    return text.getvalue()


def to_markdown(rows: Rows, settings: TableSettings) -> str:
    """Mean ± deviation over the sampling seeds, the paper's figures beside, the protocol below.

    Raises `UserError` when the distances of a column were not computed alike.
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    protocols = [
        common_protocol(column, heading)
        for column, heading in zip(columns, settings.headings, strict=True)
    ]
    lines = [f"# {settings.title}", "", _line(["Method", *settings.headings])]
    lines.append(_line(["---", *("---:" for _ in settings.headings)]))
    for label, row, paper in zip(settings.labels, rows, settings.paper, strict=True):
        figures = paper or (None,) * len(row)
        cells = [_cell(cell, figure) for cell, figure in zip(row, figures, strict=True)]
        lines.append(_line([label, *cells]))
    lines += ["", "Fréchet distances, lower is better: mean ± standard deviation over the seeds."]
    lines.append("")
    for heading, protocol, column in zip(settings.headings, protocols, columns, strict=True):
        seeds = ", ".join(str(seed) for seed in column[0].seeds)
        lines.append(f"- {heading}: {protocol.line()}; sampling seeds {seeds}")
        warnings = dict.fromkeys(cell.warning for cell in column if cell.warning)
        lines += [f"- {heading}: warning: {warning}" for warning in warnings]
    if any(settings.paper):
        foreign = {protocol.label for protocol in protocols} - {"FID"}
        verdict = f", not comparable with {' or '.join(sorted(foreign))}" if foreign else ""
        lines += ["", f"(paper: …) is the paper's FID on its own pictures{verdict}."]
    return "\n".join(lines) + "\n"


def _cell(distance: Distance, paper: float | None) -> str:
    spread = "" if distance.std is None else f" ± {distance.std:.2f}"
    beside = "" if paper is None else f" (paper: {paper:g})"
    return f"{distance.mean:.2f}{spread}{beside}"


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
