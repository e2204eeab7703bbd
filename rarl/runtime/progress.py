"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

from rarl.runtime.ranks import is_first

T = TypeVar("T")

PLAIN_SECONDS = 15.0  # between two lines when stderr is a file


def track(
    items: Iterable[T], total: int | None, description: str, unit: str, before: int = 0
) -> "Progress[T]":
    """Iterates over `items` and shows rate and remaining time on stderr.

    `before` of the `total` were done before these.
    """
    return Progress(items, total, description, unit, before)


class Progress(Iterable[T]):
    """What `track` gives: iterate over it; `note` adds figures such as the loss."""

    def __init__(
        self, items: Iterable[T], total: int | None, description: str, unit: str, before: int
    ) -> None:
        terminal = sys.stderr.isatty() and is_first()
        self._bar = tqdm(
            items,
            total=total,
            initial=before,
            desc=description,
            unit=unit,
            disable=not terminal,
            dynamic_ncols=True,
        )
        self._terminal = terminal
        self._total, self._description, self._unit, self._before = total, description, unit, before
        self._notes = ""

    def note(self, **figures: float) -> None:
        """Figures to show beside the progress."""
        self._notes = " ".join(f"{name}={value:.4g}" for name, value in figures.items())
        if self._terminal:
            self._bar.set_postfix_str(self._notes, refresh=False)

    def __iter__(self) -> Iterator[T]:
        if self._terminal:
            yield from self._bar
            return
        start = last = time.monotonic()
        done = 0
        for item in self._bar:
            yield item
            done += 1
            now = time.monotonic()
            if now - last >= PLAIN_SECONDS:
                last = now
                self._print(done, now - start)
        self._print(done, time.monotonic() - start)

    def _print(self, done: int, seconds: float) -> None:
        if not is_first():
            return
        rate = done / max(seconds, 1e-9)
        whole = self._before + done
        of = f"/{self._total}" if self._total else ""
        left = f", {(self._total - whole) / rate:.0f} s left" if self._total and rate else ""
        line = f"{self._description}: {whole}{of} {self._unit}, {rate:.3g} {self._unit}/s{left}"
        print(line, self._notes, file=sys.stderr, flush=True)  # noqa: T201 - progress is its job
