"""Stage `seconds_table`: times of drawing to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.config.stages.report import TableSettings as Settings
from rarl.report.seconds_table import table
from rarl.runtime.files import read_json
from rarl.stages._write_table import write_table

__all__ = ["Settings", "run"]


def run(settings: Settings, *, seconds: list[Path], csv: Path, long: Path, markdown: Path) -> None:
    """`seconds` go row by row."""
    write_table(table([read_json(path) for path in seconds], settings), csv, long, markdown)
