"""The prior: causal, without blind spot, at the paper's sizes."""

from collections.abc import Callable

import pytest
import torch

from rarl.models.pixelcnn import PixelCNN, attention_positions

MakePrior = Callable[..., PixelCNN]


def seen(prior: PixelCNN) -> torch.Tensor:
    """(N, N) bool: whether the logits at position i change with the code at position j."""
    torch.manual_seed(1)
    n = prior.side**2
    with torch.no_grad():
        codes = torch.randint(prior.codebook_size, (1, n))
        other = codes.repeat(n, 1)
        other[range(n), range(n)] = (codes[0] + 1) % prior.codebook_size  # row j differs at j
        grids = torch.cat((codes, other)).view(-1, prior.side, prior.side)
        logits = prior.double()(grids).flatten(1, 2)  # (1 + N, N, K)
    return (logits[1:] != logits[:1]).any(-1).T


@pytest.mark.parametrize("filter_size", [3, 5, 7])
@pytest.mark.parametrize("attention_layers", [0, 1, 3])
@pytest.mark.parametrize("output_stack_layers", [0, 2])
@pytest.mark.parametrize("layers", [3, 6])
def test_no_position_sees_itself_or_what_follows(
    make_prior: MakePrior,
    filter_size: int,
    attention_layers: int,
    output_stack_layers: int,
    layers: int,
):
    prior = make_prior(
        filter_size=filter_size,
        attention_layers=attention_layers,
        output_stack_layers=output_stack_layers,
        layers=layers,
    )
    n = prior.side**2
    assert not (seen(prior) & ~torch.ones(n, n).tril(-1).bool()).any()


@pytest.mark.parametrize("attention_layers", [0, 2])
def test_every_position_sees_all_before_it(make_prior: MakePrior, attention_layers: int):
    """No blind spot: 6 layers of reach 2 span a 6x6 grid from its last column to its first."""
    prior = make_prior(side=6, layers=6, attention_layers=attention_layers)
    assert torch.equal(seen(prior), torch.ones(36, 36).tril(-1).bool())


def test_one_attention_layer_sees_everything_at_once(make_prior: MakePrior):
    prior = make_prior(side=6, layers=1, attention_layers=1, filter_size=3)
    assert torch.equal(seen(prior), torch.ones(36, 36).tril(-1).bool())


@pytest.mark.parametrize("conditioning_stack_layers", [0, 3])
def test_a_conditional_prior_is_causal_and_sees_the_coarser_grid(
    make_prior: MakePrior, conditioning_stack_layers: int
):
    """Perturbs every fine code, then every coarse one: each position knows its own above it."""
    prior = make_prior(
        side=4, conditional=True, conditioning_stack_layers=conditioning_stack_layers
    ).double()
    codes, above = torch.randint(7, (1, 4, 4)), torch.randint(7, (1, 2, 2))
    with torch.no_grad():
        before = prior(codes, above).flatten(1, 2)
        for j in range(16):
            other = codes.clone()
            other.view(-1)[j] = (other.view(-1)[j] + 1) % 7
            changed = (prior(other, above).flatten(1, 2) != before).any(-1).squeeze(0)
            assert not changed[: j + 1].any()
            assert changed[j + 1 :].all()
        for j in range(4):
            other = above.clone()
            other.view(-1)[j] = (other.view(-1)[j] + 1) % 7
            changed = (prior(codes, other) != before.view(1, 4, 4, 7)).any(-1).squeeze(0)
            row, column = divmod(j, 2)
            assert changed[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].all()


@pytest.mark.parametrize("rows", [(0, 16), (0, 1), (1, 3), (4, 9), (9, 16), (15, 16)])
@pytest.mark.parametrize("attention_layers", [0, 2])
@pytest.mark.parametrize(("layers", "filter_size"), [(1, 3), (3, 5)])
def test_some_rows_have_the_logits_of_all(
    make_prior: MakePrior,
    rows: tuple[int, int],
    attention_layers: int,
    layers: int,
    filter_size: int,
):
    """Where the rows before them are left out, as out of sight, and where they are not."""
    prior = make_prior(
        side=16,
        conditional=True,
        attention_layers=min(attention_layers, layers),
        layers=layers,
        filter_size=filter_size,
    )
    codes, above = torch.randint(7, (2, 16, 16)), torch.randint(7, (2, 8, 8))
    some = prior(codes, above, slice(*rows))
    torch.testing.assert_close(some, prior(codes, above)[:, slice(*rows)])


def test_a_missing_or_needless_condition_is_refused(make_prior: MakePrior):
    codes, above = torch.zeros(1, 4, 4, dtype=torch.long), torch.zeros(1, 2, 2, dtype=torch.long)
    with pytest.raises(ValueError, match="needs codes of a coarser grid"):
        make_prior(conditional=True)(codes)
    with pytest.raises(ValueError, match="takes no codes of a coarser grid"):
        make_prior()(codes, above)


def test_a_new_layer_is_the_identity(prior_settings):
    torch.manual_seed(0)
    shallow = PixelCNN(prior_settings.model_copy(update={"layers": 1, "attention_layers": 0}), 4, 7)
    deep = PixelCNN(prior_settings.model_copy(update={"layers": 9, "attention_layers": 3}), 4, 7)
    deep.load_state_dict(shallow.state_dict(), strict=False)
    codes = torch.randint(7, (2, 4, 4))
    torch.testing.assert_close(shallow.eval()(codes), deep.eval()(codes))


@pytest.mark.parametrize(
    ("layers", "count", "expected"),
    [(20, 8, [1, 4, 6, 9, 11, 14, 16, 19]), (5, 0, []), (4, 4, [0, 1, 2, 3]), (5, 1, [4])],
)
def test_attention_is_spread_evenly(layers: int, count: int, expected: list[int]):
    assert attention_positions(layers, count) == expected
