"""Stage `architecture_table`: an experiment's models as a table, as CSV and Markdown."""

from pathlib import Path

from rarl.config.stages.report import ArchitectureSettings as Settings
from rarl.report.architecture_table import table
from rarl.stages._write_table import write_table

__all__ = ["Settings", "run"]


def run(settings: Settings, *, csv: Path, long: Path, markdown: Path) -> None:
    """Nothing is read: the configuration says it all."""
    write_table(table(settings), csv, long, markdown)
