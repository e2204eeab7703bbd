"""Stage `nll_table`: the oracle experiment's NLLs to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.report.nll_table import sheet
from rarl.runtime.files import read_json
from rarl.stage_settings import RowsSettings as Settings
from rarl.stages._writing import write_table

__all__ = ["Settings", "run"]


def run(settings: Settings, *, nlls: list[Path], csv: Path, markdown: Path) -> None:
    """One file for each method."""
    write_table(sheet([read_json(path) for path in nlls], settings), csv, markdown)
