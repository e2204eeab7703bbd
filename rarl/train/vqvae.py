"""Trains the VQ-VAE: reconstruction and commitment by Adam, the codebook by moving averages."""

from statistics import fmean

import torch
from torch import Tensor

from rarl.config.stages.train import VqvaeSettings
from rarl.data.batches import batch_indices, consecutive
from rarl.data.loaders import load_images
from rarl.data.shards import Pictures
from rarl.models.quantize import perplexity, share_in_use
from rarl.models.vqvae import VQVAE, vqvae_loss
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.adam import adam
from rarl.train.loop import Loop


def train_vqvae(
    settings: VqvaeSettings,
    train: Pictures,
    val: Pictures,
    *,
    device: torch.device,
    log: TrainLog,
    checkpoints: Checkpoints,
) -> VQVAE:
    """A VQ-VAE of one or two grids after all its steps, in evaluation mode."""
    of = settings.vqvae
    torch.manual_seed(seeds.derive(settings.seed, "vqvae", "weights"))
    model = VQVAE(of, len(settings.latents)).to(device)
    optimiser = adam(model.parameters(), of.learning_rate)
    order = seeds.derive(settings.seed, "vqvae", "order")

    def step(i: int) -> dict[str, Tensor]:
        model.train()
        indices = batch_indices(len(train), of.batch_size, order, i)
        images = load_images(train, parallel.local_shard(indices), device)
        if of.flip:
            mirrored = parallel.local_shard(torch.rand(len(indices), 1, 1, 1, device=device) < 0.5)
            images = torch.where(mirrored, images.flip(-1), images)
        out = model(images)
        losses = vqvae_loss(images, out, of.beta)
        optimiser.zero_grad()
        losses["loss"].backward()
        parallel.average_gradients(model.parameters())
        optimiser.step()
        return {name: value.detach() for name, value in losses.items()}

    loop = Loop(
        "vqvae",
        of.steps,
        seed=settings.seed,
        log=log,
        log_every=of.log_every,
        evaluate_every=of.evaluate_every,
        checkpoints=checkpoints,
        precision=settings.precision,
        limits=settings.limits,
    )

    def evaluate(_: int) -> dict[str, float]:
        return parallel.broadcast_from_rank0(lambda: _evaluate(model, val))

    loop.run(step, evaluate, {"model": model, "optimiser": optimiser})
    return model.eval()


@torch.inference_mode()
def _evaluate(model: VQVAE, val: Pictures) -> dict[str, float]:
    """Held-out reconstruction error (of pixels in [-1, 1]) and use of the codebooks, averaged."""
    model.eval()
    total, codes = 0.0, []
    for indices in consecutive(len(val), model.settings.batch_size):
        images = load_images(val, indices, model.device)
        grids = model.encode(images)
        total += float((model.decode(grids) - images).square().mean()) * len(indices)
        codes.append(grids)
    used, size = (
        [torch.cat(grid) for grid in zip(*codes, strict=True)],
        model.settings.codebook_size,
    )
    return {
        "val_mse": total / len(val),
        "perplexity": fmean(perplexity(grid, size) for grid in used),
        "codes_in_use": fmean(share_in_use(grid, size) for grid in used),
    }
