"""Trains the VQ-VAE: reconstruction and commitment by Adam, the codebook by moving averages."""

from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from rarl import kinds
from rarl.config.stages.train import VqvaeSettings
from rarl.data.batches import batch_indices, consecutive
from rarl.data.loaders import load_images
from rarl.data.shards import PackedImages
from rarl.models.quantize import perplexity, share_in_use
from rarl.models.vqvae import VQVAE, vqvae_loss
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Checkpoints, Stateful
from rarl.runtime.train_log import TrainLog
from rarl.train.adam import adam
from rarl.train.loop import Loop


def train_vqvae(
    settings: VqvaeSettings,
    train: PackedImages,
    val: PackedImages,
    *,
    device: torch.device,
    log: TrainLog,
    checkpoints: Checkpoints,
) -> VQVAE:
    """A VQ-VAE of one or two grids after all its steps, in evaluation mode.

    The log holds the mean squared error of pixels in [-1, 1], the commitment in squared units of
    latents, and of the losses that are chosen: `perceptual`, without unit, 0 to 4; `adversarial`
    and `discriminator`, in scores; `adaptive_weight`, in squared errors a score.
    """
    of = settings.vqvae
    torch.manual_seed(seeds.derive(settings.seed, "vqvae", "weights"))
    model = VQVAE(of, len(settings.latents)).to(device)
    optimiser = adam(model.parameters(), of.learning_rate)
    state: dict[str, Stateful] = {"model": model, "optimiser": optimiser}
    perceptual: Any = None  # of modules that are imported where they are chosen
    adversarial: Any = None
    if of.perceptual:
        loss = kinds.load(kinds.TOKENIZER_LOSSES, "perceptual").PerceptualLoss
        perceptual = loss(of.perceptual, device)
    if of.adversarial:
        torch.manual_seed(seeds.derive(settings.seed, "vqvae", "discriminator"))
        trainer = kinds.load(kinds.TOKENIZER_LOSSES, "adversarial").DiscriminatorTrainer
        adversarial = state["adversarial"] = trainer(of.adversarial, device)
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
        if perceptual:
            losses["perceptual"] = perceptual(images, out.images)
            losses["loss"] = losses["loss"] + perceptual.weight * losses["perceptual"]
        started = adversarial and i >= adversarial.settings.start_step
        if started:
            losses |= adversarial.add_to(losses["loss"], out.images, model.last_layer)
        optimiser.zero_grad()
        losses["loss"].backward()
        parallel.average_gradients(model.parameters())
        optimiser.step()
        if started:
            losses["discriminator"] = adversarial.update(images, out.images)
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

    loop.run(step, evaluate, state)
    return model.eval()


@torch.inference_mode()
def _evaluate(model: VQVAE, val: PackedImages) -> dict[str, float]:
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
