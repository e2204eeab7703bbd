"""Checkpoints of a stage: what is killed goes on where it was, when the same command runs again.

They lie in a folder beside the output, of which the workflow knows nothing, so that it does not
clear them away with what a killed job left behind. A file's name ends in the hash of its content.
"""

import hashlib
import io
import json
import pickle
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import torch

from rarl.runtime import parallel
from rarl.runtime.files import atomic
from rarl.runtime.ranks import is_first
from rarl.runtime.signals import Noted, StoppedError, noted

KEEP = 2  # should the newest be damaged, the one before it serves


class Stateful(Protocol):
    """Holds what changes while a stage runs, as torch's modules and optimisers do."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Any) -> Any: ...


@dataclass(frozen=True)
class Interval:
    """How often a checkpoint is due: whichever comes first; 0 for never."""

    seconds: float
    steps: int


_interval = Interval(0.0, 0)


def set_interval(seconds: float, steps: int) -> None:
    """For this process, as the number of threads is: it changes no result."""
    global _interval  # noqa: PLW0603
    _interval = Interval(seconds, steps)


class Checkpoints:
    """A stage's checkpoints, in a `with` block around all that the stage does.

    Within it, a signal that asks to stop waits for the next `visit`. Its end without an exception
    says that the stage is complete, and removes the checkpoints.
    """

    def __init__(self, output: Path, made: Mapping[str, Any]) -> None:
        """`made` says what makes the output of what: a checkpoint of anything else is refused."""
        self.folder, self.interval = output.with_suffix(".state"), _interval
        self._made = json.dumps(made, sort_keys=True)
        self._saved_at = time.monotonic()
        self._signals = noted()
        self._asked = Noted()
        self._refused: set[Path] = set()

    def __enter__(self) -> Self:
        self._asked = self._signals.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._signals.__exit__(kind, error, traceback)
        if kind is None and is_first():
            shutil.rmtree(self.folder, ignore_errors=True)

    def visit(self, done: int, where: str, state: Callable[[], dict[str, Any]]) -> None:
        """Saves the state as of `done` steps since the start, if it is time to, or asked to stop.

        Raises `StoppedError` in the second case.
        """
        asked = parallel.any_of(self._asked.number is not None)
        if is_first() and (asked or self._due(done)):
            self.save(done, state())
        if asked:
            raise StoppedError(self._asked.number or signal.SIGTERM, where)

    def _due(self, done: int) -> bool:
        seconds, steps = self.interval.seconds, self.interval.steps
        late = seconds > 0 and time.monotonic() - self._saved_at >= seconds
        return late or (steps > 0 and done % steps == 0)

    def save(self, done: int, state: dict[str, Any]) -> None:
        """Writes numbers, texts and tensors, nested at will, as of `done` steps since the start.

        `KEEP` files are left. Those that `load` refused are removed first, whatever their step.
        """
        content = io.BytesIO()
        torch.save({"made": self._made, "state": state}, content)
        digest = hashlib.sha256(content.getbuffer()).hexdigest()
        with atomic(self.folder / f"{done:010d}-{digest}.pt") as temporary:
            temporary.write_bytes(content.getbuffer())
        for old in sorted(self._newest_first(), key=self._refused.__contains__)[KEEP:]:
            old.unlink()
        self._saved_at = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The newest state that is whole and of this very stage; says which are not."""
        if is_first():
            for leftover in self.folder.glob(".*.tmp"):  # of a write that was killed
                leftover.unlink()
        for path in self._newest_first():
            try:
                state = self._read(path)
            except _RefusedError as error:
                self._refused.add(path)
                _say(f"{path}: {error}; not used")
            else:
                _say(f"{path}: goes on from here")
                return state
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("*.pt"), reverse=True)

    def _read(self, path: Path) -> dict[str, Any]:
        content = path.read_bytes()
        if path.stem.partition("-")[2] != hashlib.sha256(content).hexdigest():
            raise _RefusedError("the checkpoint is damaged")
        try:
            found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            made, state = found["made"], found["state"]
        except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError):
            raise _RefusedError("is no checkpoint") from None
        if made != self._made:
            raise _RefusedError("the checkpoint is of other settings, inputs or code")
        assert isinstance(state, dict)
        return state


class _RefusedError(Exception):
    """Why a file is not used."""


def _say(line: str) -> None:
    if is_first():
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - for the stage's log
