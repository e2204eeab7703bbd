"""Trains a critic on the samples of a prior that stays as it is."""

import torch
from torch import Tensor

from rarl.config.stages.train import CriticTraining
from rarl.data.batches import batch_indices
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior
from rarl.models.vqvae import VQVAE
from rarl.rl.critics.network import CriticNetwork
from rarl.rl.rewards.critic import CriticTrainer
from rarl.rl.rollouts import all_rows, roll_out
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.train.loop import Loop


def train_critic(
    settings: CriticTraining,
    prior: CodePrior,
    vqvae: VQVAE,
    train: CodeSet,
    *,
    log: TrainLog,
    checkpoints: Checkpoints,
) -> CriticNetwork:
    """The averaged critic, in evaluation mode, after as many steps as an RL run gives its own."""
    torch.manual_seed(seeds.derive(settings.seed, "critic", "weights"))
    size = vqvae.scale * train.grids[-1].shape[1]
    trainer = CriticTrainer(settings.critic, vqvae.channels, size, size, prior.device)
    order = seeds.derive(settings.seed, "critic", "order")

    def step(i: int) -> dict[str, Tensor]:
        indices = batch_indices(len(train), settings.critic.batch_size, order, i)
        rollouts = roll_out(
            prior,
            vqvae,
            train.take(parallel.local_shard(indices), prior.device),
            all_rows(prior),
            repeats=1,
            temperature=settings.temperature,
            top_k=settings.top_k,
        )
        return trainer.update(rollouts.real_images, rollouts.images)

    loop = Loop(
        "critic",
        settings.steps,
        seed=settings.seed,
        log=log,
        log_every=settings.log_every,
        evaluate_every=settings.steps,
        checkpoints=checkpoints,
        precision=settings.precision,
        limits=settings.limits,
    )
    loop.run(step, lambda _: {}, {"trainer": trainer})
    return trainer.averaged
