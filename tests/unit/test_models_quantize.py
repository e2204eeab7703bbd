"""The quantiser against brute force and the closed form of its moving averages."""

import pytest
import torch

from rarl.models import quantize
from rarl.models.quantize import Quantizer, perplexity, share_in_use


def quantizer(
    size: int = 5,
    dim: int = 3,
    decay: float = 0.9,
    restart: float = 0.0,
    *,
    unit_length: bool = False,
) -> Quantizer:
    made = Quantizer(size, dim, decay, restart, unit_length=unit_length)
    made.codebook.copy_(made._scaled(torch.randn(size, dim)))
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
    made = quantizer(size=2, decay=0.5, restart=0.03)  # 0.75 of 50 vectors
    made.codebook[1] = 1e3  # nearest to nothing
    flat = torch.randn(50, 3)
    made.train()(flat.view(50, 3, 1, 1))
    assert float((flat - made.codebook[1]).norm(dim=1).min()) < 0.02


@pytest.mark.parametrize("decay", [0.98, 0.99])
@pytest.mark.parametrize("size", [8192, 16384])
def test_a_healthy_codebook_is_left_alone(size: int, decay: float):
    """Vectors that are codebook vectors, each as likely as any: no average moves, so none moves.

    2,048 vectors a batch are a quarter or an eighth of a vector for each code.
    """
    torch.manual_seed(0)
    made = quantizer(size, decay=decay, restart=1 / 32)
    before = made.codebook.clone()
    for _ in range(600):
        codes = torch.randint(size, (2048,))
        made._update(before[codes], codes)
    torch.testing.assert_close(made.codebook, before, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [8192, 16384])
def test_the_unused_half_of_a_large_codebook_is_restarted(size: int):
    """Codes of the first half alone, and so vectors of that half alone, are given."""
    torch.manual_seed(0)
    made = quantizer(size, decay=0.98, restart=1 / 32)
    before, half = made.codebook.clone(), size // 2
    before[half:] += 100  # far from all that is given
    made.codebook.copy_(before)
    made.sums.copy_(before)
    for _ in range(400):
        codes = torch.randint(half, (2048,))
        made._update(before[codes], codes)
    torch.testing.assert_close(made.codebook[:half], before[:half], rtol=0, atol=1e-4)
    assert float(made.codebook[half:].max()) < 10


@pytest.mark.parametrize(("vectors", "usage"), [(64, 1.0), (512, 8.0)])
def test_a_restarted_code_has_time_to_be_used(vectors: int, usage: float):
    """It counts as one vector a batch, or as twice the least that is alive: here 1/4 of N / K."""
    torch.manual_seed(0)
    made = quantizer(size=32, restart=0.25)
    made.usage[3] = 0.0
    flat = torch.randn(vectors, 3)
    codes = torch.randint(32, (vectors,))
    codes[codes == 3] = 4
    made.usage[:3] = made.usage[4:].fill_(vectors / 32).mean()
    made._update(flat, codes)
    assert float(made.usage[3]) == usage
    assert float((flat - made.codebook[3]).norm(dim=1).min()) < 0.02


def test_the_search_in_blocks_finds_the_same(monkeypatch: pytest.MonkeyPatch):
    torch.manual_seed(0)
    made, flat = quantizer(size=50, dim=8), torch.randn(333, 8)
    whole = made.nearest(flat)
    monkeypatch.setattr(quantize, "DISTANCES", 50 * 10)
    widths = []
    search = made._nearest
    monkeypatch.setattr(made, "_nearest", lambda *of: widths.append(len(of[0])) or search(*of))
    assert torch.equal(made.nearest(flat), whole)
    assert widths == [10] * 33 + [3]


def test_the_codebook_starts_from_the_first_batch():
    torch.manual_seed(0)
    made, flat = Quantizer(8, 3, 0.99, 0.0, unit_length=False), torch.randn(100, 3) + 7
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


def test_with_unit_length_the_nearest_code_has_the_largest_cosine():
    torch.manual_seed(0)
    made, flat = quantizer(unit_length=True).eval(), 7 * torch.randn(40, 3)
    out = made(flat.view(40, 3, 1, 1))
    cosines = torch.cosine_similarity(flat.unsqueeze(1), made.codebook, dim=2)
    assert torch.equal(out.codes.flatten(), cosines.argmax(1))
    torch.testing.assert_close(out.latents.norm(dim=1), torch.ones(40, 1, 1))
    expected = (2 - 2 * cosines.max(1).values).mean() / 3  # |x - e|^2 of unit vectors
    torch.testing.assert_close(out.commitment, expected)


def test_moving_averages_of_unit_length_follow_the_closed_form():
    torch.manual_seed(0)
    made = quantizer(decay=0.75, unit_length=True)
    before, flat = made.codebook.clone(), torch.randn(30, 3)
    unit = flat / flat.norm(dim=1, keepdim=True)
    codes = (unit @ before.T).argmax(1)
    made.train()(flat.view(30, 3, 1, 1))
    for k in range(5):
        total = 0.75 * before[k] + 0.25 * unit[codes == k].sum(0)
        torch.testing.assert_close(made.codebook[k], total / total.norm())


def test_codes_that_start_or_start_again_have_unit_length():
    torch.manual_seed(0)
    made = Quantizer(8, 3, 0.5, 0.1, unit_length=True).train()
    for _ in range(3):
        made(5 * torch.randn(4, 3, 2, 2) + 1)
        torch.testing.assert_close(made.codebook.norm(dim=1), torch.ones(8))
        made.usage[:4] = 0.0  # dead
