"""A whole policy step against enumeration: the gradient of reward and KL, exactly.

The policy starts uniform, so that a batch of every pair of grids is the expectation over two
rollouts that are compared with each other.
"""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from helpers.small_settings import rl_settings
from rarl import losses
from rarl.config import Rl
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.rl import scoring
from rarl.rl.advantages import AdvantageEstimator
from rarl.rl.reinforce import Reinforce
from rarl.rl.rollouts import Rollouts, Rows, within
from rarl.rl.scoring import score_codes
from rarl.sampling import policy_log_probs

MakeCodePrior = Callable[..., CodePrior]
KL_WEIGHT = 0.3


class Given:
    """Rewards that were fixed beforehand."""

    def __init__(self, rewards: Tensor) -> None:
        self.rewards = rewards

    def score(self, images: Tensor) -> Scores:
        return Scores(self.rewards, None)


class Nothing:
    """Shows nothing of the codes."""

    channels, scale = 1, 1

    def decode(self, codes: tuple[Tensor, ...]) -> Tensor:
        return codes[-1]


def uniform(prior: CodePrior) -> CodePrior:
    """With last layers that give every code the same probability, whatever came before."""
    for level in prior.levels.values():
        torch.nn.init.zeros_(level.logits.weight)
        torch.nn.init.zeros_(level.logits.bias)
    return prior.double()


def all_grids(sides: tuple[int, ...], rows: Rows, size: int) -> tuple[Tensor, ...]:
    """Every filling of `rows` of each grid with codes out of `size`; the codes around are 0."""
    counts = [(part.stop - part.start) * side for side, part in zip(sides, rows, strict=True)]
    flat = torch.tensor(list(product(range(size), repeat=sum(counts))))
    grids = []
    for side, part, drawn in zip(sides, rows, flat.split(counts, 1), strict=True):
        grid = torch.zeros(len(flat), side, side, dtype=torch.long)
        grid[:, part] = drawn.view(len(flat), -1, side)
        grids.append(grid)
    return tuple(grids)


def joint(prior: CodePrior, grids: tuple[Tensor, ...], rows: Rows) -> Tensor:
    """(B,) log-probabilities of the codes in `rows`, given those around."""
    total = torch.zeros(len(grids[0]), dtype=torch.double)
    for logits, codes in zip(prior(grids, rows), within(grids, rows), strict=True):
        log_probs = logits.log_softmax(-1).gather(-1, codes.unsqueeze(-1))
        total = total + log_probs.flatten(1).sum(1)
    return total


def gradient_of_a_step(
    policy: CodePrior, ref_policy: CodePrior, rollouts: Rollouts, rewards: Tensor, settings: Rl
) -> Tensor:
    """What one step of descent at a learning rate of 1 takes off the weights."""
    run = Reinforce(
        settings=settings,
        rows=(),
        policy=policy,
        ref_policy=ref_policy,
        decoder=rollouts.decoder,
        reward=Given(rewards),
        advantages=AdvantageEstimator(settings, policy.device),
        optimiser=torch.optim.SGD(policy.parameters(), 1.0),
        train=CodeSet(rollouts.contexts, policy.codebook_size),
        seed=0,
        temperature=1.0,
        top_k=0,
    )
    before = torch.nn.utils.parameters_to_vector(policy.parameters()).clone()
    run.update(rollouts, 0)
    return before - torch.nn.utils.parameters_to_vector(policy.parameters())


@pytest.mark.parametrize(
    ("sides", "rows", "size"),
    [
        ((2,), (slice(0, 2),), 3),
        ((2,), (slice(1, 2),), 3),  # given the row above
        ((1, 2), (slice(0, 1), slice(0, 2)), 2),  # a code of the top grid, then four
    ],
)
def test_a_step_is_the_enumerated_gradient(
    make_code_prior: MakeCodePrior, sides: tuple[int, ...], rows: Rows, size: int
):
    """Of -E[reward] / scale + weight * KL(policy || reference), both of whole images, per code."""
    policy = uniform(make_code_prior(*sides, codebook_size=size))
    ref_policy = make_code_prior(*sides, codebook_size=size, seed=1).double()
    grids = all_grids(sides, rows, size)
    count = len(grids[0])
    rewards = torch.randn(count, dtype=torch.double)

    log_p, log_q = joint(policy, grids, rows), joint(ref_policy, grids, rows).detach()
    torch.testing.assert_close(log_p.exp().sum(), torch.tensor(1.0, dtype=torch.double))
    scale = (2 * rewards.var(unbiased=False)).sqrt()  # of a reward less another rollout's
    codes = sum(
        part.numel() for part in within(tuple(grid[0].unsqueeze(0) for grid in grids), rows)
    )
    objective = (log_p.exp() * (KL_WEIGHT * (log_p - log_q) - rewards / scale)).sum() / codes
    policy.zero_grad()
    objective.backward()
    expected = torch.cat([p.grad.flatten() for p in policy.parameters() if p.grad is not None])
    assert float(expected.abs().max()) > 1e-3
    expected = torch.cat(
        [
            torch.zeros(p.numel()) if p.grad is None else p.grad.flatten()
            for p in policy.parameters()
        ]
    )
    policy.zero_grad()

    pairs = torch.cartesian_prod(torch.arange(count), torch.arange(count)).flatten()
    drawn = tuple(grid[pairs] for grid in grids)
    settings = rl_settings(
        kl_weight=KL_WEIGHT, rollouts_per_context=2, gradient_clip=1e6, batch_size=len(pairs)
    )
    rollouts = Rollouts(drawn, rows, drawn[-1], drawn, 1, Nothing())
    step = gradient_of_a_step(policy, ref_policy, rollouts, rewards[pairs], settings)
    torch.testing.assert_close(step, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("top_k", [0, 3])
@pytest.mark.parametrize("rows", [(slice(0, 2), slice(0, 4)), (slice(1, 2), slice(2, 4))])
def test_scores_of_blocks_are_those_of_the_whole(
    make_code_prior: MakeCodePrior,
    monkeypatch: pytest.MonkeyPatch,
    rows: Rows,
    top_k: int,
):
    """Values and gradients in blocks of one image, and what the (B, N, K) tensors give."""
    torch.manual_seed(0)
    policy, ref_policy = make_code_prior(2, 4), make_code_prior(2, 4, seed=1)
    codes = torch.randint(7, (5, 2, 2)), torch.randint(7, (5, 4, 4))
    weights = torch.randn(2, 5, sum(part.flatten(1).shape[1] for part in within(codes, rows)))

    def gradients(taken: Tensor, kl: Tensor) -> list[Tensor]:
        loss = (weights[0] * taken).sum() + (weights[1] * kl).sum()
        found = torch.autograd.grad(loss, list(policy.parameters()), allow_unused=True)
        return [gradient for gradient in found if gradient is not None]

    def whole(prior: CodePrior, top_k: int) -> Tensor:
        logits = torch.cat([grid.flatten(1, 2) for grid in prior(codes, rows)], 1)
        return policy_log_probs(logits, 0.7, top_k)

    log_probs, of_reference = whole(policy, top_k), whole(ref_policy, 0).detach()
    actions = torch.cat([part.flatten(1) for part in within(codes, rows)], 1).unsqueeze(-1)
    expected = (
        log_probs.gather(-1, actions).squeeze(-1),
        losses.kl(log_probs, of_reference),
        losses.entropy(log_probs),
    )
    wanted = gradients(*expected[:2])
    for block in (scoring.BLOCK, 1):
        monkeypatch.setattr(scoring, "BLOCK", block)
        scored = score_codes(policy, ref_policy, codes, rows, temperature=0.7, top_k=top_k)
        for found, value in zip(scored, expected, strict=True):
            torch.testing.assert_close(found, value, rtol=1e-6, atol=1e-6)
        for found, value in zip(gradients(*scored[:2]), wanted, strict=True):
            torch.testing.assert_close(found, value, rtol=1e-5, atol=1e-5)


def test_no_distribution_is_kept_for_backward(make_code_prior: MakeCodePrior):
    """The largest tensor that autograd holds has no axis of the codebook's size."""
    policy, ref_policy = (make_code_prior(4, codebook_size=997) for _ in range(2))
    codes = (torch.randint(997, (3, 4, 4)),)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        score_codes(policy, ref_policy, codes, (slice(0, 4),), temperature=1.0, top_k=0)
    assert kept
    assert max(x.numel() for x in kept if not isinstance(x, torch.nn.Parameter)) < 3 * 16 * 997
