"""The loop that every training stage runs: seed, step, log, evaluate."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from rarl.runtime import device, seeds
from rarl.runtime.errors import UserError
from rarl.runtime.metrics_log import MetricsLog, NotFiniteError
from rarl.runtime.progress import track

Step = Callable[[int], dict[str, Tensor]]
Evaluate = Callable[[int], dict[str, float]]


def run(
    stage: str,
    steps: int,
    step: Step,
    evaluate: Evaluate,
    *,
    seed: int,
    log: MetricsLog,
    log_every: int,
    evaluate_every: int,
) -> None:
    """Runs `steps` steps; step i uses the random stream of (seed, stage, i) and no other.

    `evaluate` is called before the first step, every `evaluate_every` steps and after the last;
    its lines also hold the seconds that the steps alone took.
    Raises `UserError` naming the stage, the step and the figure when one is not finite.
    """
    progress = track(range(steps), steps, stage, "step")
    spent = 0.0
    try:
        log.write(0, evaluate(0) | {"training_seconds": spent})
        for i in progress:
            start = time.perf_counter()
            torch.manual_seed(seeds.derive(seed, stage, i))
            figures = step(i)
            done = i + 1
            last = done == steps
            if done % evaluate_every == 0 or last:
                device.wait()
            spent += time.perf_counter() - start
            if done % log_every == 0 or last:
                line = {name: float(value) for name, value in figures.items()}
                progress.note(**line)
                log.write(done, line)
            if done % evaluate_every == 0 or last:
                log.write(done, evaluate(done) | {"training_seconds": spent})
    except NotFiniteError as error:
        raise UserError(f"{stage} diverged at {error}; try a lower learning_rate") from None
    log.publish()
