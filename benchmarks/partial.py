"""An RL iteration by full and by partial generation, side by side: time, where it goes, memory.

    python benchmarks/partial.py config.yaml openmoji-64-8-16 openmoji-128-16-32

For each experiment, with random weights: seconds of an iteration (rollouts, policy step, critic
steps) and the most memory that it took beyond what the models hold, for the methods `single` and
`partial` (or two others: --methods); then the phases, each with its share of the time, and the
share of a matrix product's arithmetic a second that it reaches. Each row comes from a process of
its own, so that one cannot use memory that another has left.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import torch
from timing import Product, alone, arithmetic, now, peak_memory, seconds, show

from rarl.config import Config, load
from rarl.config.stages.train import FinetuneSettings
from rarl.models.codes import CodeSet
from rarl.models.prior import new_prior
from rarl.models.vqvae import VQVAE
from rarl.rl.reinforce import Reinforce, start
from rarl.rl.rewards.inputs import load_reward
from rarl.rl.update import Run
from rarl.runtime import device
from rarl.runtime.precision import autocast
from rarl.train.adam import adam
from rarl.train.averaging import MovingAverage, Selection

PHASES = ("sampling", "decoding", "critic", "policy")


@dataclass(frozen=True)
class Iteration:
    time: dict[str, float]  # seconds of each phase
    work: dict[str, float]  # floating-point operations of each
    peak: float  # operations a second of a matrix product
    memory: float  # MiB at the peak beyond the start

    @property
    def seconds(self) -> float:
        return sum(self.time.values())

    def cells(self, beside: "Iteration") -> list[str]:
        """Figures of a row, and their ratios to another row's."""
        ratios = (
            self.seconds / beside.seconds,
            sum(self.work.values()) / sum(beside.work.values()),
            self.memory / beside.memory,
        )
        reached = {name: self.work[name] / self.time[name] / self.peak for name in PHASES}
        return [
            f"{self.seconds:.2f}",
            f"{self.memory:.0f}",
            *(f"{ratio:.2f}" for ratio in ratios),
            *(f"{self.time[name] / self.seconds:.0%} at {reached[name]:.0%}" for name in PHASES),
        ]


def measure(path: str, experiment: str, method: str, repeats: int) -> Iteration:
    """The mean of some iterations after one to warm up.

    Rows are at another height in each, which changes what they cost.
    """
    config = load(path)
    with autocast(config.experiments[experiment].precision):
        learner, product = new_learner(config, experiment, method), Product()
        start = peak_memory()
        learner.step(0)
        time = phases(learner, now, range(1, 1 + repeats))
        memory = peak_memory() - start
        learner = new_learner(config, experiment, method)
        with arithmetic() as counter:
            work = phases(learner, lambda: counter.flops, range(repeats))
        return Iteration(time, work, product.flops / seconds(product)[0], memory)


def new_learner(config: Config, experiment: str, method: str) -> Reinforce:
    """With untrained models and random codes in the place of real ones."""
    torch.manual_seed(0)
    on = device.pick()
    of = config.experiments[experiment]
    vqvae = VQVAE(of.vqvae, len(of.latents)).to(on).eval().requires_grad_(False)
    grids = tuple(
        torch.randint(of.vqvae.codebook_size, (512, n, n), dtype=torch.int16) for n in of.latents
    )
    settings = FinetuneSettings.from_config(config, experiment, method)
    prior, codes = new_prior(of).to(on), CodeSet(grids, of.vqvae.codebook_size)
    optimiser = adam(prior.parameters(), settings.rl.learning_rate)
    reward = load_reward(settings, prior, vqvae, None)
    average = MovingAverage(prior, settings.rl.ema_decay)
    kept = Selection(settings.rl.selection, prior.device)
    update = start(Run(settings, prior, codes, optimiser, vqvae, average, kept, reward))
    return update.state["reinforce"]


def phases(learner: Reinforce, dial: Callable[[], float], steps: range) -> dict[str, float]:
    """What each phase adds to what `dial` shows, an iteration."""
    spent = Counter[str]()
    for of, methods in (
        (learner, ("sample", "update")),
        (learner.decoder, ("decode",)),
        (learner.reward, ("score", "learn")),
    ):
        for method in methods:
            setattr(of, method, watched(getattr(of, method), method, dial, spent))
    for i in steps:
        learner.step(i)
    sums = {
        "sampling": spent["sample"] - spent["decode"],
        "decoding": spent["decode"],
        "critic": spent["score"] + spent["learn"],
        "policy": spent["update"] - spent["score"],
    }
    return {name: total / len(steps) for name, total in sums.items()}


def watched(
    call: Callable[..., object], name: str, dial: Callable[[], float], spent: Counter[str]
) -> Callable[..., object]:
    """The same function, which adds to `spent` what `dial` rises by while it runs."""

    def run(*arguments: object, **named: object) -> object:
        before = dial()
        result = call(*arguments, **named)
        spent[name] += dial() - before
        return result

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config")
    parser.add_argument("experiments", nargs="+")
    parser.add_argument("--methods", nargs=2, default=["single", "partial"])
    parser.add_argument("--repeats", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = []
    for experiment in options.experiments:
        full, part = (
            alone(measure, options.config, experiment, method, options.repeats)
            for method in options.methods
        )
        for method, found in zip(options.methods, (full, part), strict=True):
            rows.append([f"{experiment}, {method}", *found.cells(full)])
    show(
        f"An RL iteration; {options.config}",
        ["experiment, method", "s", "MiB", "time", "FLOPs", "memory", *PHASES],
        rows,
    )


if __name__ == "__main__":
    main()
