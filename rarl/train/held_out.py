"""The NLL of held-out codes."""

import torch

from rarl.data.batches import consecutive
from rarl.losses import nll
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior


@torch.inference_mode()
def evaluate_nll(prior: CodePrior, codes: CodeSet, batch_size: int) -> float:
    """Mean NLL of a code set, nats a code; the prior in evaluation mode."""
    total = 0.0
    for indices in consecutive(len(codes), batch_size):
        batch = codes.take(indices, prior.device)
        total += float(nll(prior(batch), prior.own(batch))) * len(indices)
    return total / len(codes)
