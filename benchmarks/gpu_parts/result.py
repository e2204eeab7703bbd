"""What a part of the GPU benchmark finds: checks that held, rows of a table."""

from dataclasses import dataclass, field

import torch
from timing import now

from rarl.runtime import device

Row = dict[str, str | float | None]


class CheckError(Exception):
    """A path computes something else than it should: its time would mean nothing."""


@dataclass
class Result:
    checks: list[Row] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def check(self, what: str, value: float, *, most: float) -> None:
        """Raises `CheckError` for a value that is not finite or above `most`."""
        self.checks.append({"what": what, "value": value, "most": most})
        if not value <= most:
            raise CheckError(f"{what}: {value:.3g}, where at most {most:.3g} is right")


@dataclass(frozen=True)
class Timed:
    first: float  # seconds of the first run: libraries load kernels, a graph is recorded
    seconds: float  # mean of the runs after the warm-up
    gib: float | None  # peak of a GPU's memory


def timed(work: object, *, warm_up: int, repeats: int) -> Timed:
    """Runs a callable `warm_up` times, at least once, and then `repeats` times on the clock."""
    assert callable(work)
    forget_peak()
    start = now()
    work()
    first = now() - start
    for _ in range(warm_up - 1):
        work()
    start = now()
    for _ in range(repeats):
        work()
    return Timed(first, (now() - start) / repeats, peak())


def forget_peak() -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak() -> float | None:
    """GiB of tensors at the most; None on a CPU."""
    device.wait()
    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None
