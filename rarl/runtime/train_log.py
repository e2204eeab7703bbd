"""Measurements of a training run as JSON lines, from which the plots are made."""

import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rarl.runtime.files import write_text
from rarl.runtime.ranks import is_first


class NotFiniteError(ValueError):
    """A figure is NaN or infinite; the message is step, name and value."""


class TrainLog:
    """Collects `{"step": ..., "seconds": ..., name: figure}` and publishes them at the end.

    Lines are appended to `<path>.part` as they come, so that a running or killed job can be
    watched; `publish` turns them into `path` once the stage is complete.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(path.name + ".part")
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_first():
            self._part.unlink(missing_ok=True)
        self._lines: list[str] = []
        self._start = time.monotonic()

    def write(self, step: int, figures: dict[str, float]) -> None:
        """Appends a line. Raises `NotFiniteError` naming the first figure that is not."""
        for name, value in figures.items():
            if not math.isfinite(value):
                raise NotFiniteError(f"step {step}: {name} is {value}")
        self._append(step, figures)

    def warn(self, step: int, text: str) -> None:
        """Appends a line with a warning, which the tables show, and says it on stderr."""
        if is_first():
            print(f"warning: step {step}: {text}", file=sys.stderr, flush=True)  # noqa: T201
        self._append(step, {"warning": text})

    def _append(self, step: int, content: Mapping[str, float | str]) -> None:
        line = {"step": step, "seconds": round(time.monotonic() - self._start, 3), **content}
        self._lines.append(json.dumps(line) + "\n")
        if is_first():
            with self._part.open("a", encoding="utf-8") as file:
                file.write(self._lines[-1])

    def publish(self) -> None:
        write_text(self.path, "".join(self._lines))
        if is_first():
            self._part.unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint: the lines so far, and the seconds, which go on from there."""
        return {"lines": self._lines, "seconds": time.monotonic() - self._start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._lines = list(state["lines"])
        self._start = time.monotonic() - state["seconds"]
        write_text(self._part, "".join(self._lines))
