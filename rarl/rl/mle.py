"""Fine-tuning by more maximum likelihood."""

from torch import Tensor

from rarl.data.batches import batch_indices
from rarl.rl.update import Run, Update
from rarl.runtime import parallel, seeds
from rarl.train.prior import maximise_likelihood


def start(run: Run) -> Update:
    """Steps of maximum likelihood on shuffled codes, epoch after epoch."""
    settings, prior = run.settings, run.prior
    order = seeds.derive(settings.seed, "finetune", "mle")

    def step(i: int) -> dict[str, Tensor]:
        indices = batch_indices(len(run.train), settings.rl.batch_size, order, i)
        codes = run.train.take(parallel.local_shard(indices), prior.device)
        return maximise_likelihood(prior, run.optimiser, codes, settings.rl.gradient_clip)

    return Update(step)
