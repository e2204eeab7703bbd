"""Cached = uncached, at every position, from every prefix."""

from collections.abc import Callable

import pytest
import torch

from rarl.models.incremental import IncrementalPixelCNN
from rarl.models.pixelcnn import PixelCNN

MakePrior = Callable[..., PixelCNN]


@torch.no_grad()
def worst_difference(prior: PixelCNN, given: int) -> float:
    size, side = prior.codebook_size, prior.side
    codes = torch.randint(size, (3, side**2))
    above = torch.randint(size, (3, side // 2, side // 2)) if prior.conditioning else None
    full = prior(codes.view(3, side, side), above).flatten(1, 2)  # (B, N, K)
    state = IncrementalPixelCNN(prior, 3, codes[:, :given], above)
    worst = 0.0
    for n in range(given, side**2):
        worst = max(worst, float((state.logits() - full[:, n]).abs().max()))
        state.append(codes[:, n])
    assert torch.equal(state.codes, codes)
    return worst / float(full.abs().max())


@pytest.mark.parametrize("attention_layers", [0, 1, 3])
@pytest.mark.parametrize("filter_size", [3, 5, 7])
def test_logits_equal_the_full_forward_pass(
    make_prior: MakePrior, attention_layers: int, filter_size: int
):
    prior = make_prior(side=5, attention_layers=attention_layers, filter_size=filter_size)
    assert worst_difference(prior, 0) < 1e-5


@pytest.mark.parametrize("attention_layers", [0, 2])
@pytest.mark.parametrize("given", [1, 4, 5, 7, 20, 24, 25])
def test_a_prefix_is_continued_exactly(make_prior: MakePrior, attention_layers: int, given: int):
    prior = make_prior(side=5, attention_layers=attention_layers)
    assert worst_difference(prior, given) < 1e-5


@pytest.mark.parametrize("attention_layers", [0, 2])
@pytest.mark.parametrize("given", [0, 1, 12, 15, 36])
def test_a_conditional_prior_is_continued_exactly(
    make_prior: MakePrior, attention_layers: int, given: int
):
    prior = make_prior(side=6, attention_layers=attention_layers, conditional=True)
    assert worst_difference(prior, given) < 1e-5
