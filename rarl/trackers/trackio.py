"""A store that trackio shows. Nothing is sent anywhere."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from rarl.trackers.runs import MarkdownTable, TrainingRun

PROJECT = "rarl"
SHOW = f"TRACKIO_DIR={{folder}} trackio show --project {PROJECT}"


def write(runs: Sequence[TrainingRun], tables: Sequence[MarkdownTable], folder: Path) -> None:
    """One project with all runs, and a run of the tables.

    trackio reads where its store is when it is imported: call this once in a process.
    """
    os.environ |= {"TRACKIO_DIR": str(folder.resolve()), "HF_HUB_OFFLINE": "1"}
    import trackio  # noqa: PLC0415 - see above

    def start(name: str, config: dict[str, object]) -> None:
        trackio.init(
            project=PROJECT,
            name=name,
            config=config,
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        for run in runs:
            start(run.name, run.config)
            for line in run.lines:
                warning = {} if line.warning is None else {"warning": line.warning}
                trackio.log({"seconds": line.seconds, **line.metrics, **warning}, step=line.step)
            trackio.finish()
        if tables:
            start("tables", {})
            for step, table in enumerate(tables):
                trackio.log({table.name: trackio.Markdown(table.text)}, step=step)
            trackio.finish()
