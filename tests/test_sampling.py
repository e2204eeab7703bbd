"""The sampler against the enumerated distribution, and its promises about seeds."""

from collections.abc import Callable
from itertools import product

import pytest
import torch

from rarl.models.pixelcnn import PixelCNN
from rarl.sampling import policy_log_probs, sample, uniforms_for

MakePrior = Callable[..., PixelCNN]
CPU = torch.device("cpu")


@torch.no_grad()
def enumerated(
    prior: PixelCNN, temperature: float, top_k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """All grids (M, h, w) of a tiny prior and their probabilities (M,), by the chain rule."""
    n = prior.side**2
    grids = torch.tensor(list(product(range(prior.codebook_size), repeat=n)))
    logits = prior(grids.view(-1, prior.side, prior.side)).flatten(1, 2)
    log_probs = policy_log_probs(logits, temperature, top_k)
    taken = log_probs.gather(-1, grids.unsqueeze(-1)).squeeze(-1)
    return grids.view(-1, prior.side, prior.side), taken.sum(1).exp()


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, 0), (0.5, 0), (1.0, 2), (2.0, 2)])
def test_frequencies_are_the_enumerated_probabilities(
    make_prior: MakePrior, temperature: float, top_k: int
):
    prior = make_prior(side=2, codebook_size=3)
    grids, expected = enumerated(prior, temperature, top_k)
    assert float(expected.sum()) == pytest.approx(1, abs=1e-5)
    count = 20_000
    uniforms = torch.rand(count, 4, generator=torch.Generator().manual_seed(0))
    drawn = sample(prior, uniforms, temperature=temperature, top_k=top_k)
    index = (drawn.flatten(1) * torch.tensor([27, 9, 3, 1])).sum(1)
    frequency = torch.bincount(index, minlength=len(grids)) / count
    deviation = (expected * (1 - expected) / count).sqrt()
    assert ((frequency - expected).abs() <= 5 * deviation + 1e-9).all()


def test_top_k_excludes_exactly_and_stays_finite():
    logits = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    log_probs = policy_log_probs(logits, 1.0, 2)
    torch.testing.assert_close(
        log_probs.exp(), torch.tensor([[0.0, 0.0, 0.26894142, 0.73105858]]), rtol=0, atol=1e-7
    )
    assert log_probs.isfinite().all()


def test_temperature_divides_the_logits():
    logits = torch.randn(3, 5)
    torch.testing.assert_close(policy_log_probs(logits, 0.5, 0), (2 * logits).log_softmax(-1))


def test_a_picture_depends_on_its_own_numbers_alone(make_prior: MakePrior):
    prior = make_prior(side=4)
    uniforms = uniforms_for(3, 0, 6, 16, CPU)
    together = sample(prior, uniforms, temperature=1.0, top_k=0)
    apart = [sample(prior, row.unsqueeze(0), temperature=1.0, top_k=0) for row in uniforms]
    assert torch.equal(together, torch.cat(apart))


def test_grouping_pictures_changes_no_number():
    whole = uniforms_for(7, 0, 5, 9, CPU)
    parts = [uniforms_for(7, 0, 2, 9, CPU), uniforms_for(7, 2, 3, 9, CPU)]
    assert torch.equal(whole, torch.cat(parts))
    assert not torch.equal(whole, uniforms_for(8, 0, 5, 9, CPU))


@pytest.mark.parametrize("given", [0, 3, 4, 9, 16])
def test_a_prefix_is_kept_and_the_rest_drawn_as_without(make_prior: MakePrior, given: int):
    prior = make_prior(side=4)
    uniforms = uniforms_for(0, 0, 4, 16, CPU)
    free = sample(prior, uniforms, temperature=1.0, top_k=0)
    prefix = free.flatten(1)[:, :given]
    again = sample(prior, uniforms, temperature=1.0, top_k=0, prefix=prefix)
    assert torch.equal(free, again)


def test_dropout_is_refused(make_prior: MakePrior):
    with pytest.raises(ValueError, match="evaluation mode"):
        sample(make_prior().train(), torch.rand(1, 16), temperature=1.0, top_k=0)
