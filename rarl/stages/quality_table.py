"""Stage `quality_table`: distances and qualities of methods to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.report import run_warnings
from rarl.report.distances import read
from rarl.report.quality_table import sheet
from rarl.runtime.files import read_json
from rarl.stage_settings import RowsSettings as Settings
from rarl.stages._writing import write_table

__all__ = ["Settings", "run"]


def run(
    settings: Settings,
    *,
    distances: list[Path],
    qualities: list[Path],
    metrics: list[Path],
    csv: Path,
    markdown: Path,
) -> None:
    """One file of each kind for each method; `metrics` are the logs of all training behind them."""
    found = sheet([read(path) for path in distances], [read_json(p) for p in qualities], settings)
    write_table(found.noting(run_warnings.lines(metrics)), csv, markdown)
