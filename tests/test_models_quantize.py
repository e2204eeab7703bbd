"""The quantiser against brute force and the closed form of its moving averages."""

import pytest
import torch

from rarl.models.quantize import Quantizer, perplexity, share_in_use


def quantizer(size: int = 5, dim: int = 3, decay: float = 0.9, restart: float = 0.0) -> Quantizer:
    made = Quantizer(size, dim, decay, restart)
    made.codebook.normal_()
    made.sums.copy_(made.codebook)
    made.usage.fill_(1.0)
    made.started.fill_(True)
    return made


def test_nearest_is_the_brute_force_minimum():
    torch.manual_seed(0)
    made, flat = quantizer(), torch.randn(40, 3)
    expected = [
        min(range(5), key=lambda k: float((row - made.codebook[k]).square().sum())) for row in flat
    ]
    assert made.nearest(flat).tolist() == expected


def test_latents_are_codebook_vectors_and_gradients_pass_straight():
    torch.manual_seed(0)
    made = quantizer().eval()
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    out = made(x)
    torch.testing.assert_close(out.latents, made.embed(out.codes))
    weight = torch.randn_like(out.latents)
    (out.latents * weight).sum().backward()
    torch.testing.assert_close(x.grad, weight)


def test_commitment_pulls_the_input_to_its_code():
    torch.manual_seed(0)
    made = quantizer().eval()
    x = torch.randn(1, 3, 2, 2, requires_grad=True)
    out = made(x)
    out.commitment.backward()
    torch.testing.assert_close(x.grad, 2 * (x - made.embed(out.codes)).detach() / x.numel())


def test_moving_averages_follow_the_closed_form():
    torch.manual_seed(0)
    made = quantizer(decay=0.75)
    before, flat = made.codebook.clone(), torch.randn(30, 3)
    codes = made.nearest(flat)
    made.train()(flat.view(30, 3, 1, 1))
    for k in range(5):
        mine = flat[codes == k]
        usage = 0.75 * 1.0 + 0.25 * len(mine)
        total = 0.75 * before[k] + 0.25 * mine.sum(0)
        torch.testing.assert_close(made.codebook[k], total / usage)


def test_evaluation_mode_changes_nothing():
    made = quantizer().eval()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    made(torch.randn(2, 3, 4, 4))
    for name, tensor in made.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_a_dead_code_is_moved_onto_the_batch():
    torch.manual_seed(0)
    made = quantizer(size=2, decay=0.5, restart=0.6)
    made.codebook[1] = 1e3  # nearest to nothing
    flat = torch.randn(50, 3)
    made.train()(flat.view(50, 3, 1, 1))
    assert float((flat - made.codebook[1]).norm(dim=1).min()) < 0.02


def test_the_codebook_starts_from_the_first_batch():
    torch.manual_seed(0)
    made, flat = Quantizer(8, 3, 0.99, 0.0), torch.randn(100, 3) + 7
    made.train()(flat.view(100, 3, 1, 1))
    assert share_in_use(made.nearest(flat), 8) > 0.7
    assert float(made.codebook.mean()) == pytest.approx(7, abs=0.5)


@pytest.mark.parametrize(
    ("codes", "expected"), [([0, 0, 0, 0], 1.0), ([0, 1, 2, 3], 4.0), ([0, 0, 1, 1], 2.0)]
)
def test_perplexity_counts_equally_used_codes(codes: list[int], expected: float):
    assert perplexity(torch.tensor(codes), 8) == pytest.approx(expected)


def test_share_in_use():
    assert share_in_use(torch.tensor([0, 3, 3]), 4) == 0.5
