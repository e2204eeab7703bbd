"""Training by `rarl` against the plainest correct PyTorch loop, side by side: speed and memory.

    python benchmarks/training.py config.yaml openmoji-64-8 openmoji-64-16

For the VQ-VAE and the priors of each experiment: steps a second of the stage's own function (it
reads images from shards, seeds every step, logs, clips, averages weights) and of a loop that does
the same arithmetic with everything in memory and nothing else; how much of the arithmetic a second
of a matrix product the first reaches; and the most memory of both beyond what they start with, in
processes of their own.
"""

import argparse
import io
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from timing import Product, alone, flops, peak_memory, seconds, show
from torch import Tensor, nn

from rarl.config import Config, Precision, Prior, load
from rarl.config.stages.data import PrepareSettings
from rarl.config.stages.train import PriorSettings, VqvaeSettings
from rarl.data.pixels import to_unit
from rarl.data.shards import open_split
from rarl.models.codes import CodeSet
from rarl.models.pixelcnn import PixelCNN
from rarl.models.vqvae import VQVAE, vqvae_loss
from rarl.runtime import device
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.precision import autocast
from rarl.runtime.train_log import TrainLog
from rarl.stages import prepare
from rarl.train.prior import train_prior
from rarl.train.vqvae import train_vqvae

EXAMPLES = 512  # to train on, at most
HELD_OUT = 0.001  # of the images: evaluations, at the start and the end, cost nothing
Train = Callable[[int], object]  # some steps, from new weights on


@dataclass(frozen=True)
class Contest:
    """Two ways to train one model by the same arithmetic."""

    rarl: Train
    plain: Train
    precision: Precision


def prepare_images(config: Config, experiment: str, folder: Path) -> Path:
    """The manifest of some images of an experiment, prepared unless they are."""
    of = config.experiments[experiment]
    manifest = folder / f"{of.dataset}-{of.image_size}" / "manifest.json"
    if not manifest.exists():
        few = {"max_images": EXAMPLES, "val_fraction": HELD_OUT}
        settings = PrepareSettings.from_config(config, of.dataset, of.image_size)
        dataset = settings.dataset.model_copy(update=few)
        prepare.run(settings.model_copy(update={"dataset": dataset}), manifest=manifest)
    return manifest


def of_vqvae(config: Config, experiment: str, folder: Path) -> Contest:
    manifest = prepare_images(config, experiment, folder)
    train, val = open_split(manifest, "train"), open_split(manifest, "val")
    settings, on = VqvaeSettings.from_config(config, experiment), device.pick()
    of = settings.vqvae
    pixels = torch.from_numpy(train.take(range(len(train)))).permute(0, 3, 1, 2).contiguous()

    def rarl(steps: int) -> None:
        some = settings.model_copy(update={"vqvae": of.model_copy(update={"steps": steps})})
        log, checkpoints = bookkeeping(folder)
        train_vqvae(some, train, val, device=on, log=log, checkpoints=checkpoints)

    def plain(steps: int) -> None:
        model = VQVAE(of, len(settings.latents)).to(on)
        optimiser = torch.optim.Adam(model.parameters(), of.learning_rate)
        for _ in range(steps):
            images = to_unit(pixels[torch.randint(len(pixels), (of.batch_size,))].to(on))
            if of.flip:
                mirrored = torch.rand(len(images), 1, 1, 1, device=on) < 0.5
                images = torch.where(mirrored, images.flip(-1), images)
            optimiser.zero_grad()
            vqvae_loss(images, model(images), of.beta)["loss"].backward()
            optimiser.step()

    return Contest(rarl, plain, settings.precision)


def of_prior(config: Config, experiment: str, grid: int, folder: Path) -> Contest:
    of, on = config.experiments[experiment], device.pick()
    size = of.vqvae.codebook_size
    codes = CodeSet(
        tuple(torch.randint(size, (EXAMPLES, n, n), dtype=torch.int16) for n in of.latents), size
    )
    one = CodeSet(tuple(part[:1] for part in codes.grids), size)
    settings = PriorSettings.from_config(config, experiment, of.grids[grid])

    def rarl(steps: int) -> None:
        some = settings.prior.model_copy(update={"steps": steps})
        log, checkpoints = bookkeeping(folder)
        train_prior(
            settings.model_copy(update={"prior": some}),
            codes,
            one,
            device=on,
            log=log,
            checkpoints=checkpoints,
        )

    def plain(steps: int) -> None:
        model = PixelCNN(settings.prior, of.latents[grid], size, conditional=grid > 0).to(on)
        above = codes.grids[grid - 1] if grid else None
        maximise(model, settings.prior, codes.grids[grid], above, steps)

    return Contest(rarl, plain, settings.precision)


def maximise(
    model: PixelCNN, settings: Prior, codes: Tensor, above: Tensor | None, steps: int
) -> None:
    """Likelihood, at a constant learning rate, with an average of the weights."""
    average, on = deepcopy(model).requires_grad_(False), model.position.device
    optimiser = torch.optim.Adam(model.parameters(), settings.learning_rate)
    for _ in range(steps):
        indices = torch.randint(len(codes), (settings.batch_size,))
        batch = codes[indices].to(on, torch.long)
        condition = None if above is None else above[indices].to(on, torch.long)
        loss = F.cross_entropy(model(batch, condition).flatten(0, 2), batch.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
        optimiser.step()
        for mean, value in zip(average.parameters(), model.parameters(), strict=True):
            mean.lerp_(value.detach(), 1 - settings.ema_decay)


def bookkeeping(folder: Path) -> tuple[TrainLog, Checkpoints]:
    """A log, and checkpoints that are never due."""
    return TrainLog(folder / "log.jsonl"), Checkpoints(folder / "model", {})


def contest(path: str, experiment: str, part: str, folder: Path) -> Contest:
    """`part` is vqvae, or the grid of a prior."""
    config = load(path)
    if part == "vqvae":
        return of_vqvae(config, experiment, folder)
    return of_prior(config, experiment, config.experiments[experiment].grids.index(part), folder)


def memory(path: str, experiment: str, part: str, folder: Path, way: str) -> float:
    """MiB at the peak of a few steps, beyond the start."""
    of = contest(path, experiment, part, folder)
    train, start = getattr(of, way), peak_memory()
    with redirect_stderr(io.StringIO()), autocast(of.precision):  # progress
        train(3)
    return peak_memory() - start


def row(path: str, experiment: str, part: str, steps: int, folder: Path) -> list[str]:
    product = Product()
    with redirect_stderr(io.StringIO()):  # progress
        of = contest(path, experiment, part, folder)
        with autocast(of.precision):
            rarl, plain, peak = seconds(lambda: of.rarl(steps), lambda: of.plain(steps), product)
        work = flops(lambda: of.plain(1))
    ours, theirs = (alone(memory, path, experiment, part, folder, way) for way in ("rarl", "plain"))
    reached = work * steps / rarl / (product.flops / peak)
    return [
        f"{experiment}, {part}",
        f"{steps / rarl:.1f}",
        f"{steps / plain:.1f}",
        f"{plain / rarl:.2f}",
        f"{work / 1e9:.1f}",
        f"{reached:.0%}",
        f"{ours:.0f}",
        f"{theirs:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("config")
    parser.add_argument("experiments", nargs="+")
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    known = load(options.config).experiments
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            row(options.config, experiment, part, options.steps, Path(folder))
            for experiment in options.experiments
            for part in ("vqvae", *known[experiment].grids)
        ]
    show(
        f"Training; {options.config}",
        [
            "experiment, model",
            "steps / s",
            "plain loop",
            "speed-up",
            "GFLOP / step",
            "of peak FLOP/s",
            "MiB",
            "plain loop, MiB",
        ],
        rows,
    )


if __name__ == "__main__":
    main()
