"""An RL iteration by full and by partial generation, side by side: time and peak memory.

    python benchmarks/partial.py config.yaml openmoji-64-8-16 openmoji-128-16-32

For each experiment, with random weights: seconds of an iteration (rollouts, policy step, critic
steps) and the most memory that it took beyond what the models hold, for the methods `single` and
`partial` (or two others: --methods). Each figure comes from a process of its own, so that one
cannot use memory that another has left; the ratio is of medians.
"""

import argparse
import resource
import subprocess
import sys
import time
from statistics import median

import torch

from rarl import plan
from rarl.config import Config, load
from rarl.models.prior import new_prior
from rarl.models.saved import CodeSet
from rarl.models.vqvae import VQVAE
from rarl.runtime import device
from rarl.train.finetune import reinforce


def measure(config: Config, experiment: str, method: str, repeats: int) -> tuple[float, float]:
    """Median seconds of an iteration, and MiB at the peak beyond the start."""
    torch.manual_seed(0)
    of, on = config.experiments[experiment], device.pick()
    vqvae = VQVAE(of.vqvae, len(of.latents)).to(on).eval().requires_grad_(False)
    grids = tuple(
        torch.randint(of.vqvae.codebook_size, (512, n, n), dtype=torch.int16) for n in of.latents
    )
    settings = plan.finetune(config, experiment, method)
    prior, codes = new_prior(of).to(on), CodeSet(grids, of.vqvae.codebook_size)
    optimiser = torch.optim.Adam(prior.parameters(), settings.rl.learning_rate)
    learner = reinforce(settings, settings.rl, prior, codes, optimiser, vqvae)
    start, times = _memory(on), []
    for i in range(1 + repeats):
        begin = time.perf_counter()
        float(learner.step(i)["reward_mean"])
        times.append(time.perf_counter() - begin)
    return median(times[1:]), _memory(on) - start


def _memory(on: torch.device) -> float:
    """The peak so far, MiB."""
    if on.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config")
    parser.add_argument("experiments", nargs="+")
    parser.add_argument("--methods", nargs=2, default=["single", "partial"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        found = measure(
            load(options.config), options.experiments[0], options.methods[0], options.repeats
        )
        print(*found)
        return
    print(
        f"{'experiment':22} {'method':14} {'s/iteration':>14} {'MiB':>7} {'time':>6} {'memory':>7}"
    )
    for experiment in options.experiments:
        full: tuple[float, float] | None = None
        for method in options.methods:
            done = subprocess.run(
                [
                    *(sys.executable, __file__, options.config, experiment, "--one"),
                    *("--methods", method, method, "--repeats", str(options.repeats)),
                    *("--threads", str(options.threads)),
                ],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            seconds, mib = map(float, done.stdout.split())
            full = full or (seconds, mib)
            ratios = f"{seconds / full[0]:6.2f} {mib / full[1]:7.2f}"
            print(f"{experiment:22} {method:14} {seconds:14.2f} {mib:7.0f} {ratios}")


if __name__ == "__main__":
    main()
