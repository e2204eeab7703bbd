"""Stage `quality_table`: distances and qualities of methods to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.config.stages.report import TableSettings as Settings
from rarl.report import run_warnings
from rarl.report.distances import read
from rarl.report.logs import read_selected
from rarl.report.quality_table import table
from rarl.runtime.files import read_json
from rarl.stages._write_table import write_table

__all__ = ["Settings", "run"]


def run(
    settings: Settings,
    *,
    distances: list[Path],
    qualities: list[Path],
    finetunings: list[Path],
    metrics: list[Path],
    csv: Path,
    long: Path,
    markdown: Path,
) -> None:
    """One file of each kind for each method; `metrics` are the logs of all training behind them."""
    found = table(
        [read(path) for path in distances],
        [read_json(path) for path in qualities],
        [read_selected(path) for path in finetunings],
        settings,
    )
    write_table(found.with_notes(run_warnings.lines(metrics)), csv, long, markdown)
