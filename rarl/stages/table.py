"""Stage `table`: distances to one of the paper's tables, as CSV and Markdown."""

from pathlib import Path

from rarl.plan import TableSettings as Settings
from rarl.report.distances import read
from rarl.report.table import in_rows, to_csv, to_markdown
from rarl.runtime.files import write_text

__all__ = ["Settings", "run"]


def run(settings: Settings, *, distances: list[Path], csv: Path, markdown: Path) -> None:
    """`distances` go row by row: the experiments of the first method, then of the second."""
    rows = in_rows([read(path) for path in distances], settings)
    write_text(markdown, to_markdown(rows, settings))
    write_text(csv, to_csv(rows, settings))
