"""Fine-tunes a prior by any objective, with one protocol for all.

All run the same number of iterations, average their weights alike, and keep the checkpoint of the
lowest selection metric, or the last one, as `selection` says.
"""

from torch import Tensor

from rarl import kinds
from rarl.config.stages.train import FinetuneSettings
from rarl.models.codes import CodeSet, training_codes
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.rl.model_selection import ModelSelection
from rarl.rl.update import Run, Update
from rarl.runtime import parallel
from rarl.runtime.checkpoints import Checkpoints, Stateful
from rarl.runtime.train_log import TrainLog
from rarl.train.adam import adam
from rarl.train.averaging import MovingAverage, Selection
from rarl.train.held_out import evaluate_nll
from rarl.train.loop import Loop


def finetune(
    settings: FinetuneSettings,
    prior: CodePrior,
    sets: dict[str, CodeSet],
    decoder: Decoder,
    selection: ModelSelection,
    reward: Stateful | None = None,
    *,
    log: TrainLog,
    checkpoints: Checkpoints,
) -> CodePrior:
    """The averaged weights that model selection keeps, in evaluation mode.

    `sets`: codes of the `train` (with `train_mirrored`) and `val` images. `reward`: a
    `RewardSource`, where the objective has one. The start counts as a checkpoint, too. `prior` is
    changed in place.
    """
    train = training_codes(sets, flip=settings.flip)
    optimiser = adam(prior.parameters(), settings.rl.learning_rate)
    average = MovingAverage(prior, settings.rl.ema_decay)
    selected = Selection(settings.rl.selection, prior.device)
    run = Run(settings, prior, train, optimiser, decoder, average, selected, reward)
    update: Update = kinds.load(kinds.OBJECTIVES, settings.objective).start(run)
    average.restart(prior)  # which may have changed
    state: dict[str, Stateful] = {
        "prior": prior,
        "optimiser": optimiser,
        "average": average,
        "selected": selected,
        **update.state,
    }

    def step(i: int) -> dict[str, Tensor]:
        metrics = update.step(i)
        average.update(prior)
        return metrics

    def evaluate(i: int) -> dict[str, float]:
        metric, val_nll = parallel.broadcast_from_rank0(
            lambda: (
                selection(average.model, settings),
                evaluate_nll(average.model, sets["val"], settings.rl.batch_size),
            )
        )
        selected.offer(i, metric, average.model)
        return {
            "val_nll": val_nll,
            selection.metric: metric,
            "selected_iteration": selected.step,
        }

    loop = Loop(
        "finetune",
        settings.rl.iterations,
        warmup=update.warmup,
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
