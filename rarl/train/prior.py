"""Trains the prior by maximum likelihood; keeps the averaged weights of the best validation NLL."""

import torch
from torch import Tensor, nn

from rarl.config import Prior
from rarl.losses import nll
from rarl.models.pixelcnn import PixelCNN
from rarl.models.saved import CodeSet
from rarl.runtime import seeds
from rarl.runtime.metrics_log import MetricsLog
from rarl.train.averaging import Best, MovingAverage
from rarl.train.batches import batch_indices, consecutive
from rarl.train.loop import run


def maximise_likelihood(
    prior: PixelCNN, optimiser: torch.optim.Optimizer, codes: Tensor, gradient_clip: float
) -> dict[str, Tensor]:
    """One step of maximum likelihood on (B, h, w) codes."""
    prior.train()
    loss = nll(prior(codes), codes)
    optimiser.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(prior.parameters(), gradient_clip)
    optimiser.step()
    return {"nll": loss.detach(), "gradient_norm": norm}


@torch.inference_mode()
def evaluate_nll(prior: PixelCNN, codes: CodeSet, batch_size: int) -> float:
    """Mean NLL of a code set, nats a code; the prior in evaluation mode."""
    device, total = prior.logits.weight.device, 0.0
    for indices in consecutive(len(codes), batch_size):
        (grid,) = codes.take(indices, device)
        total += float(nll(prior(grid), grid)) * len(indices)
    return total / len(codes)


def unigram_nll(train: CodeSet, val: CodeSet) -> float:
    """NLL of `val` under the histogram of `train` with one added to each count, nats a code.

    What a prior without context reaches; a prior that does not beat it has learnt nothing.
    """
    counts = torch.bincount(train.grids[0].flatten().long(), minlength=train.codebook_size) + 1.0
    log_share = (counts / counts.sum()).log()
    return -float(log_share[val.grids[0].flatten().long()].mean())


def train_prior(
    settings: Prior,
    train: CodeSet,
    val: CodeSet,
    *,
    seed: int,
    device: torch.device,
    log: MetricsLog,
) -> PixelCNN:
    """The prior with the averaged weights of the lowest validation NLL, in evaluation mode."""
    torch.manual_seed(seeds.derive(seed, "prior", "weights"))
    prior = PixelCNN(settings, train.grids[0].shape[1], train.codebook_size).to(device)
    optimiser = torch.optim.Adam(prior.parameters(), settings.learning_rate)
    average, best = MovingAverage(prior, settings.ema_decay), Best()
    order = seeds.derive(seed, "prior", "order")
    unigram = unigram_nll(train, val)

    def step(i: int) -> dict[str, Tensor]:
        (codes,) = train.take(batch_indices(len(train), settings.batch_size, order, i), device)
        figures = maximise_likelihood(prior, optimiser, codes, settings.gradient_clip)
        average.update(prior)
        return figures

    def evaluate(i: int) -> dict[str, float]:
        value = evaluate_nll(average.model, val, settings.batch_size)
        best.offer(value, i, average.model)
        return {"val_nll": value, "unigram_nll": unigram}

    run(
        "prior",
        settings.steps,
        step,
        evaluate,
        seed=seed,
        log=log,
        log_every=settings.log_every,
        evaluate_every=settings.evaluate_every,
    )
    prior.load_state_dict(best.weights)
    return prior.eval()
