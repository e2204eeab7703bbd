"""Stage `distance_table`: Frechet distances to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.report import run_warnings
from rarl.report.distance_table import sheet
from rarl.report.distances import read
from rarl.stage_settings import TableSettings as Settings
from rarl.stages._writing import write_table

__all__ = ["Settings", "run"]


def run(
    settings: Settings, *, distances: list[Path], metrics: list[Path], csv: Path, markdown: Path
) -> None:
    """`distances` go row by row: the experiments of the first method, then of the second.

    `metrics` are the logs of all training behind them.
    """
    found = sheet([read(path) for path in distances], settings)
    write_table(found.noting(run_warnings.lines(metrics)), csv, markdown)
