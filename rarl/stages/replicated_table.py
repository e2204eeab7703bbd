"""Stage `replicated_table`: methods over training seeds to a table, as CSV and Markdown."""

from pathlib import Path

from rarl.report import run_warnings
from rarl.report.replicated_table import read, sheet
from rarl.stage_settings import ReplicatedSettings as Settings
from rarl.stages._writing import write_table

__all__ = ["Settings", "run"]


def run(
    settings: Settings,
    *,
    distances: list[Path],
    qualities: list[Path],
    finetunings: list[Path],
    metrics: list[Path],
    csv: Path,
    markdown: Path,
) -> None:
    """One file of each kind for each method, experiment and training seed, in this order.

    `finetunings` are logs of `finetune`; `metrics` are the logs of all training behind them.
    """
    files = zip(distances, qualities, finetunings, strict=True)
    found = sheet([read(*of) for of in files], settings)
    write_table(found.noting(run_warnings.lines(metrics)), csv, markdown)
