"""Fine-tuning by reinforcement: a run's parts, put together from its settings."""

from copy import deepcopy

import torch

from rarl import kinds
from rarl.config import Rl
from rarl.config.stages.train import FinetuneSettings
from rarl.metrics.extractor import Extractor
from rarl.metrics.frechet import Gaussian
from rarl.models.codes import CodeSet
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.rl.advantages import Credit
from rarl.rl.reinforce import Reinforce, RewardSource
from rarl.rl.update import Update


def start(
    settings: FinetuneSettings,
    prior: CodePrior,
    train: CodeSet,
    optimiser: torch.optim.Optimizer,
    decoder: Decoder,
    distance: tuple[Extractor, Gaussian] | None = None,
) -> Update:
    """An RL run from `prior` at its start temperature."""
    assert isinstance(settings.rl, Rl)  # with this objective
    temper(prior, settings.rl.start_temperature)
    learner = reinforce(settings, settings.rl, prior, train, optimiser, decoder, distance)
    return Update(learner.step, learner.source.warmup_steps, {"reinforce": learner})


@torch.no_grad()
def temper(prior: CodePrior, temperature: float) -> None:
    """Folds a temperature into the weights: drawn at 1, they give what they gave at it before."""
    for pixelcnn in prior.grids.values():
        for parameter in pixelcnn.logits.parameters():
            parameter.div_(temperature)


def reinforce(
    settings: FinetuneSettings,
    rl: Rl,
    prior: CodePrior,
    train: CodeSet,
    optimiser: torch.optim.Optimizer,
    decoder: Decoder,
    distance: tuple[Extractor, Gaussian] | None = None,
) -> Reinforce:
    """An RL run that starts from `prior`, which it changes in place."""
    reward = kinds.load(kinds.REWARDS, rl.reward.kind)
    source: RewardSource = reward.start(settings, rl, prior, decoder, distance)
    return Reinforce(
        settings=rl,
        rows=settings.rows,
        policy=prior,
        anchor=deepcopy(prior).eval().requires_grad_(False),
        decoder=decoder,
        source=source,
        credit=Credit(rl, prior.device),
        optimiser=optimiser,
        train=train,
        seed=settings.seed,
        temperature=settings.temperature,
        top_k=settings.top_k,
    )
