"""Fine-tunes a prior, by more MLE or by RAL, with one protocol for both.

Both run the same number of iterations, average their weights alike, and keep the checkpoint
with the lowest Frechet distance on one held-out draw; that draw's random numbers are the same at
every check, for every method, and used for nothing else.
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from rarl.config import Rl
from rarl.metrics.extractor import Extractor
from rarl.metrics.frechet import Gaussian, frechet_distance
from rarl.metrics.moments import Moments
from rarl.models.prior import CodePrior
from rarl.models.saved import CodeSet
from rarl.models.vqvae import VQVAE, to_pixels
from rarl.plan import FinetuneSettings
from rarl.runtime import seeds
from rarl.runtime.metrics_log import MetricsLog
from rarl.sampling import draw
from rarl.train.adversary import Adversary
from rarl.train.averaging import Best, MovingAverage
from rarl.train.batches import batch_indices
from rarl.train.credit import Credit
from rarl.train.loop import Step, run
from rarl.train.prior import evaluate_nll, maximise_likelihood
from rarl.train.reinforce import Reinforce


@dataclass(frozen=True)
class HeldOut:
    """What checkpoints are judged by."""

    val: CodeSet
    vqvae: VQVAE
    extractor: Extractor
    reference: Gaussian

    def distance(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        """Frechet distance of `evaluate_samples` fixed draws to the reference."""
        moments = Moments(self.extractor.dimension)
        batches = draw(
            prior,
            seeds.derive(settings.seed, "held-out draw"),
            settings.rl.evaluate_samples,
            settings.rl.batch_size,
            temperature=settings.temperature,
            top_k=settings.top_k,
        )
        for codes in batches:
            with torch.no_grad():
                pixels = to_pixels(self.vqvae.decode(codes))
            moments.update(self.extractor(pixels))
        return frechet_distance(moments, self.reference)


def finetune(
    settings: FinetuneSettings,
    prior: CodePrior,
    train: CodeSet,
    held_out: HeldOut,
    *,
    log: MetricsLog,
) -> CodePrior:
    """The averaged weights at the lowest held-out distance, in evaluation mode.

    The start counts as a checkpoint, too. `prior` is changed in place.
    """
    average, best = MovingAverage(prior, settings.rl.ema_decay), Best()
    optimiser = torch.optim.Adam(prior.parameters(), settings.rl.learning_rate)
    method = (
        _mle(settings, prior, train, optimiser)
        if settings.objective == "mle"
        else _reinforce(settings, prior, train, optimiser, held_out.vqvae)
    )

    def step(i: int) -> dict[str, Tensor]:
        figures = method(i)
        average.update(prior)
        return figures

    def evaluate(i: int) -> dict[str, float]:
        distance = held_out.distance(average.model, settings)
        best.offer(distance, i, average.model)
        val_nll = evaluate_nll(average.model, held_out.val, settings.rl.batch_size)
        return {"val_nll": val_nll, "distance": distance}

    run(
        "finetune",
        settings.rl.iterations,
        step,
        evaluate,
        seed=settings.seed,
        log=log,
        log_every=settings.rl.log_every,
        evaluate_every=settings.rl.evaluate_every,
    )
    prior.load_state_dict(best.weights)
    return prior.eval()


def _mle(
    settings: FinetuneSettings,
    prior: CodePrior,
    train: CodeSet,
    optimiser: torch.optim.Optimizer,
) -> Step:
    order = seeds.derive(settings.seed, "finetune", "mle")

    def step(i: int) -> dict[str, Tensor]:
        indices = batch_indices(len(train), settings.rl.batch_size, order, i)
        codes = train.take(indices, prior.device)
        return maximise_likelihood(prior, optimiser, codes, settings.rl.gradient_clip)

    return step


def _reinforce(
    settings: FinetuneSettings,
    prior: CodePrior,
    train: CodeSet,
    optimiser: torch.optim.Optimizer,
    vqvae: VQVAE,
) -> Step:
    assert isinstance(settings.rl, Rl)  # for the type checker: `plan.finetune` gives it
    torch.manual_seed(seeds.derive(settings.seed, "finetune", "critic"))
    sides = [prior.side for prior in prior.grids.values()]
    pixels = 2**vqvae.settings.layers  # to a row or column of the finest codes
    height = pixels * settings.rl.part.rows(sides)[-1]
    return Reinforce(
        settings=settings.rl,
        policy=prior,
        anchor=deepcopy(prior).eval().requires_grad_(False),
        vqvae=vqvae,
        adversary=Adversary(settings.rl.critic, height, pixels * sides[-1], prior.device),
        credit=Credit(settings.rl),
        optimiser=optimiser,
        train=train,
        seed=settings.seed,
        temperature=settings.temperature,
        top_k=settings.top_k,
    ).step
