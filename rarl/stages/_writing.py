"""A table to its two files: what the stages that make tables share."""

from pathlib import Path

from rarl.report.sheet import Sheet
from rarl.runtime.files import write_text


def write_table(sheet: Sheet, csv: Path, markdown: Path) -> None:
    write_text(markdown, sheet.markdown())
    write_text(csv, sheet.csv())
