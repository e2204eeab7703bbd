"""A table to its files: what the stages that make tables share."""

from pathlib import Path

from rarl.report.table import Table
from rarl.runtime.files import write_text


def write_table(table: Table, csv: Path, long: Path, markdown: Path) -> None:
    """The values, the tidy frame behind them, and the page for people."""
    write_text(markdown, table.markdown())
    write_text(long, table.long_csv())
    write_text(csv, table.csv())
