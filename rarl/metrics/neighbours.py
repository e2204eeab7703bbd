"""Precision, recall and KID on features, by torch-fidelity's implementations."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric


def precision_recall(
    samples: Float[Tensor, "n d"], real: Float[Tensor, "m d"], neighbours: int
) -> tuple[float, float]:
    """Shares, 0 to 1: of samples within the real manifold, of real images within the samples'.

    A manifold is the union of balls around features that reach to the k-th neighbour
    (Kynkaanniemi et al. 2019, arXiv 1904.06991). Both fall with the number of images.
    """
    found = prc_features_to_metric(
        samples.double(),
        real.double(),
        prc_neighborhood=neighbours,
        prc_batch_size=2_000,
        save_cpu_ram=True,
        verbose=False,
    )
    return found["precision"], found["recall"]


def kernel_distance(
    samples: Float[Tensor, "n d"], real: Float[Tensor, "m d"], subsets: int, subset_size: int
) -> float:
    """Mean over random subsets of the unbiased squared MMD, cubic kernel.

    Binkowski et al. 2018 (arXiv 1801.01401); on Inception features it is the KID. Raises
    ValueError when a set is smaller than `subset_size`.
    """
    found = kid_features_to_metric(
        samples.double(),
        real.double(),
        kid_subsets=subsets,
        kid_subset_size=subset_size,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1,
        rng_seed=2020,
        verbose=False,
    )
    return found["kernel_inception_distance_mean"]


def spread(features: Float[Tensor, "m d"], count: int) -> Float[Tensor, "n d"]:
    """`count` rows, evenly spaced: both sides of precision and recall must be as many."""
    return features[torch.linspace(0, len(features) - 1, count).round().long()]
