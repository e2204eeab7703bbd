"""Stage `table_page`: a table's Markdown to a page of the workflow's report."""

from pathlib import Path

from rarl.config.stages.report import PageSettings as Settings
from rarl.report.page import html
from rarl.runtime.files import write_text

__all__ = ["Settings", "run"]


def run(settings: Settings, *, markdown: Path, output: Path) -> None:
    """Write the page."""
    del settings  # there are none
    write_text(output, html(markdown.read_text(encoding="utf-8")))
