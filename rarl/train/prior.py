"""Trains priors by maximum likelihood; keeps the averaged weights of the best validation NLL."""

import math

import torch
from torch import Tensor, nn

from rarl.config import Prior
from rarl.config.stages.train import PriorSettings
from rarl.data.batches import batch_indices
from rarl.losses import nll
from rarl.models.codes import Codes, CodeSet
from rarl.models.level_prior import build
from rarl.models.prior import CodePrior
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.adam import adam
from rarl.train.averaging import MovingAverage, Selection
from rarl.train.held_out import evaluate_nll
from rarl.train.loop import Loop


def maximise_likelihood(
    prior: CodePrior, optimiser: torch.optim.Optimizer, codes: Codes, gradient_clip: float
) -> dict[str, Tensor]:
    """One step of maximum likelihood on the codes of some images, all levels together.

    Each process brings its share of the images.
    """
    prior.train()
    parallel.fork_rng()  # other dropout for each share
    loss = nll(prior(codes), prior.own(codes))
    optimiser.zero_grad()
    loss.backward()
    parallel.average_gradients(prior.parameters())
    norm = nn.utils.clip_grad_norm_(prior.parameters(), gradient_clip)
    optimiser.step()
    return {"nll": loss.detach(), "gradient_norm": norm}


def unigram_nll(train: Tensor, val: Tensor, codebook_size: int) -> float:
    """NLL of the codes `val` under the histogram of `train` with one added to each count.

    In nats a code: what a prior without context reaches; one that does not beat it has learnt
    nothing.
    """
    counts = torch.bincount(train.flatten().long(), minlength=codebook_size) + 1.0
    log_share = (counts / counts.sum()).log()
    return -float(log_share[val.flatten().long()].mean())


def learning_rate(settings: Prior, step: int) -> float:
    """At a step from 0; the cosine of Loshchilov & Hutter 2017 (arXiv 1608.03983), equation 5."""
    if settings.schedule == "constant":
        return settings.learning_rate
    return settings.learning_rate * (1 + math.cos(math.pi * step / settings.steps)) / 2


def train_prior(
    settings: PriorSettings,
    train: CodeSet,
    val: CodeSet,
    *,
    device: torch.device,
    log: TrainLog,
    checkpoints: Checkpoints,
) -> CodePrior:
    """The prior of one level, given the next coarser one, if any.

    It has the averaged weights of the lowest validation NLL and is in evaluation mode.
    """
    of, level = settings.prior, settings.grid
    torch.manual_seed(seeds.derive(settings.seed, "prior", level, "weights"))
    side, size = train.grids[level].shape[1], train.codebook_size
    prior = CodePrior({level: build(of, side, size, conditional=level > 0)}).to(device)
    optimiser = adam(prior.parameters(), of.learning_rate)
    average, best = MovingAverage(prior, of.ema_decay), Selection("best", device)
    order = seeds.derive(settings.seed, "prior", "order")
    unigram = unigram_nll(train.grids[level], val.grids[level], size)

    def step(i: int) -> dict[str, Tensor]:
        optimiser.param_groups[0]["lr"] = learning_rate(of, i)
        indices = batch_indices(len(train), of.batch_size, order, i)
        codes = train.take(parallel.local_shard(indices), device)
        metrics = maximise_likelihood(prior, optimiser, codes, of.gradient_clip)
        average.update(prior)
        return metrics

    def evaluate(i: int) -> dict[str, float]:
        value = parallel.broadcast_from_rank0(
            lambda: evaluate_nll(average.model, val, of.batch_size)
        )
        best.offer(i, value, average.model)
        return {"val_nll": value, "unigram_nll": unigram}

    loop = Loop(
        "prior",
        of.steps,
        seed=settings.seed,
        log=log,
        log_every=of.log_every,
        evaluate_every=of.evaluate_every,
        checkpoints=checkpoints,
        precision=settings.precision,
    )
    loop.run(
        step, evaluate, {"prior": prior, "optimiser": optimiser, "average": average, "best": best}
    )
    prior.load_state_dict(best.weights)
    return prior.eval()
