"""The sampler against the enumerated distribution, and its promises about seeds."""

from collections.abc import Callable
from itertools import product

import pytest
import torch

from rarl.models.prior import CodePrior
from rarl.sampling import policy_log_probs, sample, uniforms_for

MakeCodePrior = Callable[..., CodePrior]
CPU = torch.device("cpu")


@torch.no_grad()
def enumerated(
    prior: CodePrior, temperature: float, top_k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """All grids (M, h, w) of a tiny prior and their probabilities (M,), by the chain rule."""
    [n] = prior.positions
    grids = torch.tensor(list(product(range(prior.codebook_size), repeat=n)))
    shaped = grids.view(-1, round(n**0.5), round(n**0.5))
    (logits,) = prior((shaped,))
    log_probs = policy_log_probs(logits.flatten(1, 2), temperature, top_k)
    taken = log_probs.gather(-1, grids.unsqueeze(-1)).squeeze(-1)
    return shaped, taken.sum(1).exp()


@pytest.mark.parametrize(("temperature", "top_k"), [(1.0, 0), (0.5, 0), (1.0, 2), (2.0, 2)])
def test_frequencies_are_the_enumerated_probabilities(
    make_code_prior: MakeCodePrior, temperature: float, top_k: int
):
    prior = make_code_prior(2, codebook_size=3)
    grids, expected = enumerated(prior, temperature, top_k)
    assert float(expected.sum()) == pytest.approx(1, abs=1e-5)
    count = 20_000
    uniforms = torch.rand(count, 4, generator=torch.Generator().manual_seed(0))
    (drawn,) = sample(prior, uniforms, temperature=temperature, top_k=top_k)
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


def test_a_image_depends_on_its_own_numbers_alone(make_code_prior: MakeCodePrior):
    prior = make_code_prior(2, 4)
    uniforms = uniforms_for(3, 0, 6, 4 + 16, CPU)
    together = sample(prior, uniforms, temperature=1.0, top_k=0)
    apart = [sample(prior, row.unsqueeze(0), temperature=1.0, top_k=0) for row in uniforms]
    for mine, theirs in zip(together, zip(*apart, strict=True), strict=True):
        assert torch.equal(mine, torch.cat(theirs))


def test_grouping_images_changes_no_number():
    whole = uniforms_for(7, 0, 5, 9, CPU)
    parts = [uniforms_for(7, 0, 2, 9, CPU), uniforms_for(7, 2, 3, 9, CPU)]
    assert torch.equal(whole, torch.cat(parts))
    assert not torch.equal(whole, uniforms_for(8, 0, 5, 9, CPU))


@pytest.mark.parametrize("rows", [slice(0, 4), slice(1, 4), slice(0, 2), slice(2, 3)])
def test_rows_outside_the_part_are_the_contexts(make_code_prior: MakeCodePrior, rows: slice):
    """The free draw as context, and its numbers again: nothing changes, whatever is drawn anew."""
    prior = make_code_prior(4, 8)
    uniforms = uniforms_for(0, 0, 4, 16 + 64, CPU)
    free = sample(prior, uniforms, temperature=1.0, top_k=0)
    fine = slice(2 * rows.start, 2 * rows.stop)
    again = sample(prior, uniforms, temperature=1.0, top_k=0, context=free, rows=(rows, fine))
    for mine, theirs in zip(again, free, strict=True):
        assert torch.equal(mine, theirs)
    other = tuple((grid + 1) % 7 for grid in free)
    kept = sample(prior, uniforms, temperature=1.0, top_k=0, context=other, rows=(rows, fine))
    for grid, theirs, drawn in zip(kept, other, (rows, fine), strict=True):
        assert torch.equal(grid[:, : drawn.start], theirs[:, : drawn.start])
        assert torch.equal(grid[:, drawn.stop :], theirs[:, drawn.stop :])
        assert not torch.equal(grid[:, drawn], theirs[:, drawn])


def test_a_part_has_the_full_models_conditional_distribution(make_code_prior: MakeCodePrior):
    """Frequencies of the second row of 2x2 codes, given the first, against the chain rule."""
    prior = make_code_prior(2, codebook_size=3)
    count, first = 20_000, torch.tensor([2, 0])
    context = (torch.cat((first, first)).view(1, 2, 2).repeat(count, 1, 1),)
    uniforms = torch.rand(count, 4, generator=torch.Generator().manual_seed(0))
    (drawn,) = sample(
        prior, uniforms, temperature=1.0, top_k=0, context=context, rows=[slice(1, 2)]
    )
    pairs = torch.tensor(list(product(range(3), repeat=2)))
    grids = torch.cat((first.repeat(9, 1), pairs), 1).view(9, 2, 2)
    with torch.no_grad():
        (logits,) = prior((grids,), [slice(1, 2)])
    log_probs = logits.log_softmax(-1).flatten(1, 2)
    expected = log_probs.gather(-1, pairs.unsqueeze(-1)).squeeze(-1).sum(1).exp()
    index = (drawn[:, 1] * torch.tensor([3, 1])).sum(1)
    frequency = torch.bincount(index, minlength=9) / count
    deviation = (expected * (1 - expected) / count).sqrt()
    assert ((frequency - expected).abs() <= 5 * deviation + 1e-9).all()


def test_the_fine_grid_follows_the_coarse_one(make_code_prior: MakeCodePrior):
    """The same numbers for the fine grid under another coarse grid give other codes."""
    prior = make_code_prior(2, 4)
    uniforms = uniforms_for(0, 0, 8, 4 + 16, CPU)
    coarse, fine = sample(prior, uniforms, temperature=1.0, top_k=0)
    other = torch.cat((torch.rand(8, 4), uniforms[:, 4:]), 1)
    coarse_too, fine_too = sample(prior, other, temperature=1.0, top_k=0)
    same = (coarse == coarse_too).flatten(1).all(1)
    assert not same.all()
    assert not torch.equal(fine[~same], fine_too[~same])


def test_dropout_is_refused(make_code_prior: MakeCodePrior):
    with pytest.raises(ValueError, match="evaluation mode"):
        sample(make_code_prior(4).train(), torch.rand(1, 16), temperature=1.0, top_k=0)
