"""Event files that TensorBoard shows."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from torch.utils.tensorboard import SummaryWriter  # raises ImportError without `tensorboard`

from rarl.trackers.runs import MarkdownTable, TrainingRun

SHOW = "tensorboard --logdir {folder}"


def write(runs: Sequence[TrainingRun], tables: Sequence[MarkdownTable], folder: Path) -> None:
    """A folder of events for each run, and one for the tables."""
    for run in runs:
        with SummaryWriter(folder / run.name) as writer:
            if run.config:
                text = yaml.safe_dump(run.config, sort_keys=False)
                writer.add_text("config", f"```yaml\n{text}```", walltime=_start(run))
            for line in run.lines:
                for name, value in line.metrics.items():
                    writer.add_scalar(name, value, line.step, walltime=line.time)
                if line.warning is not None:
                    writer.add_text("warning", line.warning, line.step, walltime=line.time)
    if tables:
        with SummaryWriter(folder / "tables") as writer:
            for table in tables:
                writer.add_text(table.name, table.text)


def _start(run: TrainingRun) -> float | None:
    return run.lines[0].time if run.lines else None
