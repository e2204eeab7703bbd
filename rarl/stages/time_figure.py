"""Stage `time_figure`: fine-tuning's logs to distance against training time, PNG and CSV."""

from pathlib import Path

from rarl.config.stages.report import TimeFigureSettings as Settings
from rarl.report.logs import read
from rarl.report.time_figure import draw, to_csv
from rarl.runtime.files import atomic, write_text

__all__ = ["Settings", "run"]


def run(settings: Settings, *, metrics: list[Path], output: Path, csv: Path) -> None:
    """`metrics` are the JSON lines of each method."""
    logs = [read(path) for path in metrics]
    methods = dict(zip(settings.labels, logs, strict=True))
    write_text(csv, to_csv(methods))
    with atomic(output) as temporary:
        draw(methods, settings.title).savefig(temporary, format="png")
