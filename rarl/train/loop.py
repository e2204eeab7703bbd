"""The loop that every training stage runs: seed, step, log, evaluate, save."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rarl.config import Limit, Precision
from rarl.runtime import device, parallel, precision, seeds
from rarl.runtime.checkpoints import Checkpoints, Stateful
from rarl.runtime.errors import UserError
from rarl.runtime.progress import track
from rarl.runtime.train_log import NotFiniteError, TrainLog
from rarl.train import limits

Step = Callable[[int], dict[str, Tensor]]
Evaluate = Callable[[int], dict[str, float]]


@dataclass
class Loop:
    """`steps` steps; step i uses the random stream of (seed, stage, i) and no other.

    Steps -`warmup` to -1 come before them, unlogged. There is an evaluation before step 0, every
    `evaluate_every` steps and after the last; its lines also hold the seconds that the steps
    alone took.
    """

    stage: str
    steps: int
    seed: int
    log: TrainLog
    log_every: int
    evaluate_every: int
    checkpoints: Checkpoints
    precision: Precision  # of the steps, not of the evaluations
    warmup: int = 0
    limits: Mapping[str, Limit] = field(default_factory=dict)  # of logged figures
    done: int = field(init=False, default=0)  # the next step's number
    spent: float = field(init=False, default=0.0)  # seconds

    def run(self, step: Step, evaluate: Evaluate, state: Mapping[str, Stateful]) -> None:
        """Runs the steps, or those that are left.

        `state` is all that steps and evaluations change: with it in a checkpoint, a run that was
        stopped goes on as if it had not been. Raises `StoppedError` where a signal asked for it,
        and `UserError` naming the stage, the step and the figure when one is not finite or beyond
        a limit at which to stop.
        """
        parts = {**state, "log": self.log}
        resumed = self._resume(parts)
        left, total = range(self.done, self.steps), self.steps + self.warmup
        computing = precision.autocast(self.precision)
        progress = track(left, total, self.stage, "step", before=total - len(left))
        try:
            if self.done == 0 and not resumed:
                self._evaluate(evaluate)
            for i in progress:
                start = time.perf_counter()
                torch.manual_seed(seeds.derive(self.seed, self.stage, i))
                with computing:
                    figures = step(i)
                self.done = i + 1
                if self._evaluates:
                    device.wait()
                self.spent += time.perf_counter() - start
                if self.done > 0 and self._now(self.log_every):
                    line = parallel.average(figures)
                    progress.note(**line)
                    self._write(line)
                if self._evaluates:
                    self._evaluate(evaluate)
                where = f"step {self.done}"
                self.checkpoints.visit(self.done + self.warmup, where, lambda: self._state(parts))
        except NotFiniteError as error:
            text = f"{self.stage} diverged at {error}; try a lower learning_rate"
            raise UserError(text) from None
        self.log.publish()

    def _now(self, every: int) -> bool:
        return self.done % every == 0 or self.done == self.steps

    @property
    def _evaluates(self) -> bool:
        return self.done >= 0 and self._now(self.evaluate_every)

    def _evaluate(self, evaluate: Evaluate) -> None:
        figures = evaluate(self.done)
        self._write(figures | {"training_seconds": self.spent})

    def _write(self, figures: dict[str, float]) -> None:
        self.log.write(self.done, figures)
        for name in figures.keys() & self.limits.keys():
            if not self.done:  # yet untrained
                continue
            fault = limits.fault(self.limits[name], figures[name])
            if fault and self.limits[name].action == "stop":
                raise UserError(
                    f"{self.stage} stopped at step {self.done}: {name} {fault} (limits.{name} in "
                    "the configuration)"
                )
            if fault:
                self.log.warn(self.done, f"{name} {fault}")

    def _resume(self, parts: Mapping[str, Stateful]) -> bool:
        """Whether there was a checkpoint to go on from."""
        self.done, saved = -self.warmup, self.checkpoints.load()
        if saved is None:
            return False
        self.done, self.spent = saved["done"], saved["spent"]
        for name, part in parts.items():
            part.load_state_dict(saved["parts"][name])
        return True

    def _state(self, parts: Mapping[str, Stateful]) -> dict[str, Any]:
        held = {name: part.state_dict() for name, part in parts.items()}
        return {"done": self.done, "spent": self.spent, "parts": held}
