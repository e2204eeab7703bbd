"""Stage `distance_table`: Frechet distances to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.config.stages.report import TableSettings as Settings
from rarl.report import codebook_use, run_warnings
from rarl.report.distance_table import table
from rarl.report.distances import read
from rarl.report.logs import read_selected
from rarl.stages._write_table import write_table

__all__ = ["Settings", "run"]


def run(
    settings: Settings,
    *,
    distances: list[Path],
    finetunings: list[Path] | None,
    metrics: list[Path],
    csv: Path,
    long: Path,
    markdown: Path,
) -> None:
    """`distances` go row by row: the experiments of the first method, then of the second.

    `finetunings` are the logs of the fine-tuning behind each; none for reconstructions. `metrics`
    are the logs of all training behind them.
    """
    selected = [read_selected(path) for path in finetunings or ()]
    found = table([read(path) for path in distances], selected or None, settings)
    if not selected:  # of reconstructions
        headings = [column.heading for column in settings.columns]
        found = found.with_notes(codebook_use.lines(headings, metrics))
    write_table(found.with_notes(run_warnings.lines(metrics)), csv, long, markdown)
