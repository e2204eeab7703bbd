"""Signals that ask a stage to stop: noted, so that it can save first. Imports no torch."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rarl.runtime.ranks import world_size

# From a terminal, a batch system at the end, and SLURM's warning before it (sbatch --signal).
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


class StoppedError(Exception):
    """The stage stopped because it was asked to, and can go on."""

    def __init__(self, number: int, where: str) -> None:
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name} at {where}; the same command goes on from there")
        self.status = 128 + number  # as a shell has it


class Noted:
    """What was asked for since the block began."""

    def __init__(self) -> None:
        self.number: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Notes the first request; the second takes effect at once.

        Not in one of several processes: it meets a signal twice when a batch system sends it to
        all of them and torchrun passes it on. There torchrun ends what takes too long.
        """
        del frame
        self.number = number
        if world_size() == 1:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def noted() -> Iterator[Noted]:
    """Within the block, requests to stop are noted instead of obeyed; in the main thread only."""
    note = Noted()
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, note) for number in ASKING if main}
    try:
        yield note
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
