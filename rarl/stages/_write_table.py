"""A table to its files: what the stages that make tables share."""

from pathlib import Path

from rarl.report import accepted
from rarl.report.table import Table
from rarl.runtime.files import write_text


def write_table(table: Table, csv: Path, long: Path, markdown: Path) -> None:
    """The values, the tidy frame behind them, and the page for people.

    The page says which files below the table `rarl accept` let stand.
    """
    table = table.with_notes(accepted.lines(markdown))
    write_text(markdown, table.markdown())
    write_text(long, table.long_csv())
    write_text(csv, table.csv())
