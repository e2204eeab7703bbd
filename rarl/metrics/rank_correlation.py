"""How well a reward tells which samples take off the Frechet distance.

The influence of a sample (`rarl.metrics.influence`) is the truth that a reward is compared with:
the lower it is, the more the sample takes off the distance. A reward that orders samples otherwise
cannot lower the distance by policy gradients, however well it is trained.
"""

import torch
from jaxtyping import Float, Int
from scipy import stats
from torch import Tensor

from rarl.metrics.feature_files import moments_of
from rarl.metrics.frechet import Gaussian, frechet_distance


def reward_rank_correlation(reward: Float[Tensor, " n"], influence: Float[Tensor, " n"]) -> float:
    """Spearman's rank correlation of a reward with minus the influence, -1 to 1.

    1 is a reward that orders the samples as the distance does. Raises `ValueError` when either is
    constant or holds NaN: it has no order then.
    """
    for name, values in (("reward", reward), ("influence", influence)):
        if not values.isfinite().all() or bool((values == values[0]).all()):
            raise ValueError(f"the {name} of {len(values)} samples is constant or not finite")
    return float(stats.spearmanr(reward.numpy(), -influence.numpy()).statistic)


def distances_of_best(
    features: Float[Tensor, "n d"],
    reward: Float[Tensor, " n"],
    reference: Gaussian,
    group_sizes: tuple[int, ...],
) -> dict[int, float]:
    """By group size k: the Frechet distance when the best of every k samples is kept.

    Each group size keeps as many samples, n over the largest of them: else the distances' bias of
    few samples would grow with k. With k = 1 beside the others, the gain of a choice is seen.
    Raises `ValueError` when this keeps fewer than two samples.
    """
    kept = len(features) // max(group_sizes)
    if kept < 2:
        raise ValueError(f"{len(features)} samples are too few for groups of {max(group_sizes)}")
    return {
        size: frechet_distance(
            moments_of([features[best_of_groups(reward[: kept * size], size)]]), reference
        )
        for size in group_sizes
    }


def best_of_groups(reward: Float[Tensor, " n"], size: int) -> Int[Tensor, " groups"]:
    """Index of the highest reward in each group of `size` successive samples; all groups are full.

    Ties take the first. Raises `RuntimeError` when n is no multiple of the size.
    """
    groups = reward.view(-1, size)
    starts = torch.arange(0, len(reward), size, device=reward.device)
    return starts + groups.argmax(1)
