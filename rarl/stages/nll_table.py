"""Stage `nll_table`: the oracle experiment's NLLs to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.report import run_warnings
from rarl.report.nll_table import sheet
from rarl.runtime.files import read_json
from rarl.stage_settings import RowsSettings as Settings
from rarl.stages._writing import write_table

__all__ = ["Settings", "run"]


def run(
    settings: Settings, *, nlls: list[Path], metrics: list[Path], csv: Path, markdown: Path
) -> None:
    """One file for each method; `metrics` are the logs of all training behind them."""
    found = sheet([read_json(path) for path in nlls], settings)
    write_table(found.noting(run_warnings.lines(metrics)), csv, markdown)
