"""The cached sampler against running the whole network again for every code, side by side.

    python benchmarks/sampling.py config.yaml --batch 16 --threads 1

For each experiment of a configuration, with random weights: seconds for a batch of grids, the
same by the naive way, and their ratio. The naive way costs the same at every position, so only
`--positions` of them are timed and the rest is extrapolated, which the output says.
"""

import argparse
import time
from collections.abc import Callable

import torch

from rarl.config import Experiment, load
from rarl.models.pixelcnn import PixelCNN
from rarl.models.prior import new_prior
from rarl.runtime import device
from rarl.sampling import sample


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The least of a few runs after one to warm up: the one that other load disturbed least."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


@torch.no_grad()
def measure(of: Experiment, batch: int, positions: int) -> tuple[float, float, float]:
    """Seconds for a batch: cached, naive (extrapolated), and one full forward pass."""
    prior = new_prior(of).to(device.pick()).eval()
    uniforms = torch.rand(batch, sum(prior.positions), device=prior.device)
    codes = tuple(torch.zeros(batch, n, n, dtype=torch.long).to(prior.device) for n in of.latents)
    cached = seconds(lambda: sample(prior, uniforms, temperature=1.0, top_k=0))
    naive = 0.0
    for grid, pixelcnn in prior.grids.items():
        above = codes[grid - 1] if grid else None

        def rerun(pixelcnn: PixelCNN = pixelcnn, grid: int = grid, above=above) -> None:
            for n in range(positions):
                logits = pixelcnn(codes[grid], above).flatten(1, 2)
                codes[grid].view(batch, -1)[:, n] = logits[:, n].argmax(-1)

        naive += seconds(rerun) / positions * pixelcnn.side**2
    return cached, naive, seconds(lambda: prior(codes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--positions", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"batch {options.batch}; naive extrapolated from {options.positions} positions")
    print(f"{'experiment':24} {'cached s':>9} {'naive s':>9} {'ratio':>7} {'forwards':>9}")
    for name, experiment in load(options.config).experiments.items():
        cached, naive, forward = measure(experiment, options.batch, options.positions)
        ratio, forwards = naive / cached, cached / forward
        print(f"{name:24} {cached:9.3f} {naive:9.2f} {ratio:6.0f}x {forwards:9.2f}")


if __name__ == "__main__":
    main()
