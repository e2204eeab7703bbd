"""Training logs as frames: one row for each line, one column for each metric. Imports no torch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from rarl.runtime.errors import UserError


def read(path: Path) -> pd.DataFrame:
    """The JSON lines of a training run; what a line does not hold is NaN.

    Raises `UserError` naming the first line that isn't a JSON object.
    """
    lines: list[dict[str, Any]] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            lines.append(dict(json.loads(text)))
        except (ValueError, TypeError):
            raise UserError(
                f"{path}: line {number} is no JSON object; delete the file and run again"
            ) from None
    return pd.DataFrame(lines)


def series(log: pd.DataFrame, name: str) -> pd.Series:
    """A metric by step, from the lines that hold it; empty where none does."""
    if name not in log:
        return pd.Series(dtype=float)
    return log.set_index("step")[name].dropna()


@dataclass(frozen=True)
class Selected:
    """Which iteration of a fine-tuning run its results are of."""

    iteration: int
    iterations: int
    val_nll: float  # of the selected weights, nats a code

    def line(self) -> str:
        return shown_iteration(self.iteration, self.iterations)


def shown_iteration(iteration: int, iterations: int) -> str:
    """`iteration 0` is the start: nothing that the run did is in its results."""
    return f"iteration {iteration} of {iterations}{'' if iteration else ' (its start)'}"


def read_selected(path: Path) -> Selected:
    """From the log of a fine-tuning run. Raises `UserError` when it does not say."""
    log = read(path)
    found, losses = series(log, "selected_iteration"), series(log, "val_nll")
    if found.empty or losses.empty:
        raise UserError(
            f"{path}: does not say which iteration was selected; delete it and run again"
        )
    iteration = int(found.iloc[-1])
    return Selected(iteration, int(found.index[-1]), float(losses.loc[iteration]))
