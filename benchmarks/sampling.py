"""The cached sampler against running the whole network again for every code, side by side.

    python benchmarks/sampling.py config.yaml
    python benchmarks/sampling.py config/paper.yaml lsun-bedroom-64-16 --shrink 8 --batches 16 256

For experiments of a configuration (all, unless named), with random weights: seconds for a batch
of grids, the same by the naive way, and how the first compares with one pass over whole grids,
in time and in arithmetic. The naive way costs the same at every position; where all of them would
take more than `--patience` seconds, one is timed and the rest extrapolated, which `~` marks.
In the precision of the configuration; the last column is the mean KL divergence of the next code's
distribution from that of float32, nats.
"""

import argparse
from dataclasses import dataclass
from functools import partial

import torch
from timing import Product, flops, seconds, show
from torch import Tensor

from rarl.config import Experiment, Precision, load
from rarl.losses import kl
from rarl.models.pixelcnn import PixelCNN
from rarl.models.prior import CodePrior, stack
from rarl.runtime import device
from rarl.runtime.precision import autocast
from rarl.sampling import policy_log_probs, sample


def new_prior(of: Experiment, shrink: int) -> CodePrior:
    """The untrained priors of an experiment, of fewer channels by a factor."""
    settings = [of.prior.of(grid) for grid in of.grids]
    narrow = [
        one.model_copy(
            update={
                "hidden_units": one.hidden_units // shrink,
                "residual_units": one.residual_units // shrink,
            }
        )
        for one in settings
    ]
    return stack(narrow, of.latents, of.vqvae.codebook_size).to(device.pick()).eval()


def rerun(pixelcnn: PixelCNN, codes: Tensor, above: Tensor | None, positions: int) -> None:
    """The naive way to draw the first codes of a grid."""
    for n in range(positions):
        row, column = divmod(n, pixelcnn.side)
        logits = pixelcnn(codes, above)[:, row, column]
        codes[:, row, column] = logits.softmax(-1).multinomial(1).squeeze(1)


@dataclass(frozen=True)
class Times:
    """Seconds for a batch."""

    cached: float
    naive: float
    extrapolated: bool
    forward: float  # one pass over the whole grids
    peak: float  # operations a second of a matrix product, in the same turns


@torch.no_grad()
def measure(prior: CodePrior, batch: int, patience: float) -> Times:
    uniforms = torch.rand(batch, sum(prior.positions), device=prior.device)
    codes = tuple(uniforms.new_zeros(batch, side, side).long() for side in prior.sides)
    grids = [
        partial(rerun, pixelcnn, codes[grid], codes[grid - 1] if grid else None)
        for grid, pixelcnn in prior.levels.items()
    ]
    product = Product()
    cached, square, *once = seconds(
        lambda: sample(prior, uniforms, temperature=1.0, top_k=0),
        product,
        *(partial(way, 1) for way in grids),
    )
    naive = sum(time * n for time, n in zip(once, prior.positions, strict=True))
    extrapolated = naive > patience
    if not extrapolated:
        everywhere = [partial(way, n) for way, n in zip(grids, prior.positions, strict=True)]
        naive = sum(seconds(*everywhere, repeats=1))
    return Times(cached, naive, extrapolated, sum(once), product.flops / square)


@torch.no_grad()
def arithmetic(prior: CodePrior) -> tuple[int, int]:
    """Operations for one image: of the cached sampler, of one pass over the whole grids."""
    uniforms = torch.rand(1, sum(prior.positions), device=prior.device)
    codes = tuple(uniforms.new_zeros(1, side, side).long() for side in prior.sides)
    return (
        flops(lambda: sample(prior, uniforms, temperature=1.0, top_k=0)),
        flops(lambda: prior(codes)),
    )


@torch.no_grad()
def lost(prior: CodePrior, precision: Precision) -> float:
    """KL(float32 || precision) of the next code, nats, averaged over the codes of a draw."""
    uniforms = torch.rand(16, sum(prior.positions), device=prior.device)
    codes = sample(prior, uniforms, temperature=1.0, top_k=0)
    exact = prior(codes)
    with autocast(precision):
        rough = prior(codes)
    found = [
        kl(*(policy_log_probs(logits, 1.0, 0).flatten(1, 2) for logits in pair))
        for pair in zip(exact, rough, strict=True)
    ]
    return float(torch.cat(found, 1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config")
    parser.add_argument("experiments", nargs="*")
    parser.add_argument("--batches", type=int, nargs="+", default=[16])
    parser.add_argument("--shrink", type=int, default=1, help="divides the number of channels")
    parser.add_argument("--patience", type=float, default=10.0)
    options = parser.parse_args()
    known, rows = load(options.config).experiments, []
    for name in options.experiments or known:
        prior = new_prior(known[name], options.shrink)
        cached, forward = arithmetic(prior)
        divergence = lost(prior, precision := known[name].precision)
        for batch in options.batches:
            with autocast(precision):
                times = measure(prior, batch, options.patience)
            reached = batch * cached / times.cached / times.peak
            rows.append(
                [
                    f"{name}, batch {batch}",
                    f"{times.cached:.2f}",
                    f"{'~' if times.extrapolated else ''}{times.naive:.1f}",
                    f"{times.naive / times.cached:.0f}x",
                    f"{times.cached / times.forward:.2f}",
                    f"{cached / forward:.3f}",
                    f"{reached:.0%}",
                    f"{divergence:.0e}",
                ]
            )
    show(
        f"Sampling a batch; {options.config}, channels / {options.shrink}",
        [
            "experiment",
            "cached, s",
            "naive, s",
            "speed-up",
            "time / forward pass",
            "FLOPs / forward pass",
            "of peak FLOP/s",
            "KL",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
