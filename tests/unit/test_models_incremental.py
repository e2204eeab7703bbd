"""Cached = uncached, at every position, below any number of given rows."""

from collections.abc import Callable

import pytest
import torch

from rarl.models.pixelcnn import PixelCNN
from rarl.models.pixelcnn_sampler import PixelCNNSampler

MakePrior = Callable[..., PixelCNN]


@torch.no_grad()
def worst_difference(prior: PixelCNN, given: int, *, recorded: bool = False) -> float:
    """Of logits, below as many given rows, relative to the largest."""
    size, side = prior.codebook_size, prior.side
    codes = torch.randint(size, (3, side, side))
    above = torch.randint(size, (3, side // 2, side // 2)) if prior.conditioning else None
    full = prior(codes, above)  # (B, H, W, K)
    wanted, found = iter(codes[:, given:].flatten(1).unbind(1)), []

    def draw(logits: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        found.append(logits)
        return next(wanted)

    state = PixelCNNSampler(prior, draw, 3, recorded=recorded)
    state.begin(codes[:, :given], above, until=side)
    for row in range(given, side):
        assert state.row == row
        state.draw_row(torch.zeros(3, side))
    assert torch.equal(state.codes, codes)
    if not found:
        return 0.0
    difference = torch.stack(found, 1) - full[:, given:].flatten(1, 2)
    return float(difference.abs().max() / full.abs().max())


@pytest.mark.parametrize("attention_layers", [0, 1, 3])
@pytest.mark.parametrize("filter_size", [3, 5, 7])
def test_logits_equal_the_full_forward_pass(
    make_prior: MakePrior, attention_layers: int, filter_size: int
):
    prior = make_prior(side=5, attention_layers=attention_layers, filter_size=filter_size)
    assert worst_difference(prior, 0) < 1e-5


@pytest.mark.parametrize("attention_layers", [0, 2])
@pytest.mark.parametrize("given", [1, 2, 3, 4, 5])
def test_a_prefix_is_continued_exactly(make_prior: MakePrior, attention_layers: int, given: int):
    prior = make_prior(side=5, attention_layers=attention_layers)
    assert worst_difference(prior, given) < 1e-5


@pytest.mark.parametrize("attention_layers", [0, 2])
@pytest.mark.parametrize("given", [0, 1, 2, 5, 6])
def test_a_conditional_prior_is_continued_exactly(
    make_prior: MakePrior, attention_layers: int, given: int
):
    prior = make_prior(side=6, attention_layers=attention_layers, conditional=True)
    assert worst_difference(prior, given) < 1e-5


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("given", [6, 9, 11])
def test_rows_that_are_no_longer_seen_are_not_computed(
    make_prior: MakePrior, monkeypatch: pytest.MonkeyPatch, conditional: bool, given: int
):
    """Two layers and the first convolution see three rows further up with this filter."""
    prior = make_prior(
        side=12, attention_layers=0, filter_size=3, layers=2, conditional=conditional
    )
    assert prior.tops(given) == [given - 3, given - 2, given - 1, given]
    assert worst_difference(prior, given) < 1e-5
    seen, embed = [], prior.embedding.forward

    def counted(codes: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(codes.shape))
        return embed(codes)

    monkeypatch.setattr(prior.embedding, "forward", counted)
    worst_difference(prior, given)
    assert seen[1] == (3, 3, 12)  # after the full pass


@torch.no_grad()
def test_a_condition_of_some_rows_is_that_of_all_rows(make_prior: MakePrior):
    prior = make_prior(side=12, conditional=True, conditioning_stack_layers=2)
    above = torch.randint(prior.codebook_size, (3, 6, 6))
    whole = prior.place(above)
    for first in range(12):
        for last in range(first + 1, 13):
            part = prior.place(above, slice(first, last))
            torch.testing.assert_close(part, whole[:, :, first:last], rtol=0, atol=1e-5)


@pytest.mark.parametrize("given", [0, 3])
def test_a_row_that_may_be_replayed_is_the_same(make_prior: MakePrior, given: int):
    prior = make_prior(side=5, attention_layers=2)
    assert worst_difference(prior, given, recorded=True) < 1e-5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("attention_layers", [0, 2])
@torch.no_grad()
def test_replayed_kernels_draw_what_kernels_started_one_by_one_draw(
    make_prior: MakePrior, attention_layers: int
):
    prior = make_prior(side=6, attention_layers=attention_layers).cuda()
    numbers = torch.rand(6, 4, 6, device="cuda")

    def draw(logits: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
        below = logits.softmax(-1).cumsum(-1) < number.unsqueeze(1)
        return below.sum(1).clamp_(max=prior.codebook_size - 1)

    replayed, started = (
        PixelCNNSampler(prior, draw, 4, recorded=recorded) for recorded in (True, False)
    )
    for state in (replayed, started):
        state.begin(numbers.new_zeros(4, 0, 6).long(), None, until=6)
    for row in numbers:
        replayed.draw_row(row)
        started.draw_row(row)
    assert torch.equal(replayed.codes, started.codes)
