"""Fine-tunes a prior, by more MLE or by RAL, with one protocol for both.

Both run the same number of iterations, average their weights alike, and keep the checkpoint of the
lowest selection metric, or the last one, as `selection` says.
"""

from copy import deepcopy

import torch
from torch import Tensor

from rarl.config import Frechet, Rl
from rarl.metrics.extractor import Extractor
from rarl.metrics.frechet import Gaussian
from rarl.models.prior import CodePrior
from rarl.models.saved import CodeSet, training_codes
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Checkpoints, Stateful
from rarl.runtime.metrics_log import MetricsLog
from rarl.stage_settings import FinetuneSettings
from rarl.train.adam import adam
from rarl.train.adversary import Adversary
from rarl.train.averaging import MovingAverage, Selection
from rarl.train.batches import batch_indices
from rarl.train.credit import Credit
from rarl.train.distribution import FrechetReward
from rarl.train.judge import Judge
from rarl.train.loop import Loop, Step
from rarl.train.prior import evaluate_nll, maximise_likelihood
from rarl.train.reinforce import Reinforce, RewardSource
from rarl.train.rollouts import Decoder


def finetune(
    settings: FinetuneSettings,
    prior: CodePrior,
    sets: dict[str, CodeSet],
    decoder: Decoder,
    judge: Judge,
    distance: tuple[Extractor, Gaussian] | None = None,
    *,
    log: MetricsLog,
    checkpoints: Checkpoints,
) -> CodePrior:
    """The averaged weights that model selection keeps, in evaluation mode.

    `sets`: codes of the `train` (with `train_mirrored`) and `val` pictures. `distance`: to what,
    where the reward is one. The start counts as a checkpoint, too. `prior` is changed in place.
    """
    train = training_codes(sets, flip=settings.flip)
    if isinstance(settings.rl, Rl):
        temper(prior, settings.rl.start_temperature)
    average = MovingAverage(prior, settings.rl.ema_decay)
    selected = Selection(settings.rl.selection, prior.device)
    optimiser = adam(prior.parameters(), settings.rl.learning_rate)
    state: dict[str, Stateful] = {
        "prior": prior,
        "optimiser": optimiser,
        "average": average,
        "selected": selected,
    }
    method, warmup = _mle_step(settings, prior, train, optimiser), 0
    if isinstance(settings.rl, Rl):
        learner = reinforce(settings, settings.rl, prior, train, optimiser, decoder, distance)
        method, warmup, state["reinforce"] = learner.step, learner.source.warmup_steps, learner

    def step(i: int) -> dict[str, Tensor]:
        figures = method(i)
        average.update(prior)
        return figures

    def evaluate(i: int) -> dict[str, float]:
        metric, val_nll = parallel.from_first(
            lambda: (
                judge(average.model, settings),
                evaluate_nll(average.model, sets["val"], settings.rl.batch_size),
            )
        )
        selected.offer(i, metric, average.model)
        return {
            "val_nll": val_nll,
            judge.criterion: metric,
            "selected_iteration": selected.step,
        }

    loop = Loop(
        "finetune",
        settings.rl.iterations,
        warmup=warmup,
        seed=settings.seed,
        log=log,
        log_every=settings.rl.log_every,
        evaluate_every=settings.rl.evaluate_every,
        checkpoints=checkpoints,
        precision=settings.precision,
        limits=settings.limits,
    )
    loop.run(step, evaluate, state)
    prior.load_state_dict(selected.weights)
    return prior.eval()


@torch.no_grad()
def temper(prior: CodePrior, temperature: float) -> None:
    """Folds a temperature into the weights: drawn at 1, they give what they gave at it before."""
    for pixelcnn in prior.grids.values():
        for parameter in pixelcnn.logits.parameters():
            parameter.div_(temperature)


def _mle_step(
    settings: FinetuneSettings,
    prior: CodePrior,
    train: CodeSet,
    optimiser: torch.optim.Optimizer,
) -> Step:
    order = seeds.derive(settings.seed, "finetune", "mle")

    def step(i: int) -> dict[str, Tensor]:
        indices = batch_indices(len(train), settings.rl.batch_size, order, i)
        codes = train.take(parallel.share(indices), prior.device)
        return maximise_likelihood(prior, optimiser, codes, settings.rl.gradient_clip)

    return step


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
    source: RewardSource
    if isinstance(rl.reward, Frechet):
        assert distance is not None
        source = FrechetReward(rl.reward, *distance, rl.batch_size)
    else:
        torch.manual_seed(seeds.derive(settings.seed, "finetune", "critic"))
        source = Adversary(
            rl.reward,
            decoder.channels,
            decoder.scale * settings.rows[-1],
            decoder.scale * prior.sides[-1],
            prior.device,
        )
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
