"""Fine-tuning by more maximum likelihood."""

import torch
from torch import Tensor

from rarl.config.stages.train import FinetuneSettings
from rarl.data.batches import batch_indices
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior
from rarl.rl.update import Update
from rarl.runtime import parallel, seeds
from rarl.train.prior import maximise_likelihood


def start(
    settings: FinetuneSettings,
    prior: CodePrior,
    train: CodeSet,
    optimiser: torch.optim.Optimizer,
    *_: object,
) -> Update:
    """Steps of maximum likelihood on shuffled codes, epoch after epoch."""
    order = seeds.derive(settings.seed, "finetune", "mle")

    def step(i: int) -> dict[str, Tensor]:
        indices = batch_indices(len(train), settings.rl.batch_size, order, i)
        codes = train.take(parallel.local_shard(indices), prior.device)
        return maximise_likelihood(prior, optimiser, codes, settings.rl.gradient_clip)

    return Update(step)
