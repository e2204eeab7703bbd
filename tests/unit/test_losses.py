"""The objectives against closed forms and exact enumeration."""

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch

from rarl import losses
from rarl.models.pixelcnn import PixelCNN
from rarl.sampling import policy_log_probs

MakePrior = Callable[..., PixelCNN]


def test_nll_of_uniform_logits_is_log_k():
    codes = torch.randint(8, (2, 3, 3))
    assert float(losses.nll([torch.zeros(2, 3, 3, 8)], [codes])) == pytest.approx(math.log(8))


def test_nll_weighs_every_code_of_every_grid_alike():
    coarse, fine = torch.randn(2, 2, 2, 8), torch.randn(2, 4, 4, 8)
    codes = torch.randint(8, (2, 2, 2)), torch.randint(8, (2, 4, 4))
    each = [
        -grid.log_softmax(-1).gather(-1, taken.unsqueeze(-1)).flatten()
        for grid, taken in zip((coarse, fine), codes, strict=True)
    ]
    torch.testing.assert_close(losses.nll((coarse, fine), codes), torch.cat(each).mean())


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.9, 1.0])
def test_reward_to_go_is_its_definition(discount: float):
    rewards = torch.randn(3, 6, dtype=torch.float64)
    returns = losses.reward_to_go(rewards, discount)
    for i in range(6):
        expected = sum(discount ** (j - i) * rewards[:, j] for j in range(i, 6))
        torch.testing.assert_close(returns[:, i], expected)


def test_wasserstein_is_the_difference_of_means():
    assert float(losses.wasserstein(torch.tensor([3.0, 5.0]), torch.tensor([1.0]))) == 3.0


def test_gradient_penalty_of_a_linear_critic_is_closed_form():
    weight = torch.randn(3 * 4 * 4)
    penalty = losses.gradient_penalty(
        lambda x: x.flatten(1) @ weight,
        torch.randn(5, 3, 4, 4),
        torch.randn(5, 3, 4, 4),
        torch.rand(5),
    )
    assert penalty.item() == pytest.approx((float(weight.norm()) - 1) ** 2, rel=1e-5)


def test_gradient_penalty_is_taken_between_the_images():
    """A quadratic critic |x|^2 / 2 has gradient x: the penalty tells where x was."""
    real, fake = torch.full((1, 3, 1, 1), 4.0), torch.full((1, 3, 1, 1), 2.0)
    penalty = losses.gradient_penalty(
        lambda x: x.square().sum((1, 2, 3)) / 2, real, fake, torch.tensor([0.25])
    )
    assert penalty.item() == pytest.approx((2.5 * math.sqrt(3) - 1) ** 2, rel=1e-6)


def test_gradient_penalty_differentiates_through_the_critic():
    weight = torch.randn(12, requires_grad=True)
    images = torch.randn(2, 3, 2, 2)
    losses.gradient_penalty(
        lambda x: x.flatten(1) @ weight, images, images, torch.rand(2)
    ).backward()
    norm = weight.detach().norm()
    torch.testing.assert_close(weight.grad, 2 * (norm - 1) * weight.detach() / norm)


def test_logistic_loss_is_that_of_the_classifier():
    real, fake = torch.tensor([0.5, -1.0]), torch.tensor([2.0, 0.0])
    expected = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    torch.testing.assert_close(losses.logistic(real, fake), expected)


def test_the_best_logistic_critic_is_the_log_ratio_of_densities():
    """Two outcomes with p(real) = (0.8, 0.2), p(fake) = (0.4, 0.6), weighted by repetition."""
    scores = torch.zeros(2, requires_grad=True)
    for _ in range(300):
        real, fake = scores[[0, 0, 0, 0, 1]], scores[[0, 0, 1, 1, 1]]
        (gradient,) = torch.autograd.grad(losses.logistic(real, fake), scores)
        scores = (scores - 5 * gradient).detach().requires_grad_()
    torch.testing.assert_close(scores.detach(), torch.tensor([0.8 / 0.4, 0.2 / 0.6]).log())


def test_r1_penalty_of_a_linear_critic_is_half_its_squared_weight():
    weight = torch.randn(12, requires_grad=True)
    penalty = losses.r1_penalty(lambda x: x.flatten(1) @ weight, torch.randn(4, 3, 2, 2))
    assert penalty.item() == pytest.approx(float(weight.detach().square().sum()) / 2, rel=1e-5)
    penalty.backward()
    torch.testing.assert_close(weight.grad, weight.detach())


def test_hinge_counts_what_is_on_the_wrong_side_of_one():
    real, fake = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([[-3.0, 1.0]])
    assert float(losses.hinge(real, fake)) == pytest.approx((1 / 3 + 2 / 2) / 2)


def test_feature_distance_is_that_of_directions():
    """2 - 2 cos of the angle between the channels at each place, whatever their lengths."""
    a = [torch.randn(2, 5, 3, 3), torch.randn(2, 7, 1, 1)]
    b = [torch.randn(2, 5, 3, 3), torch.randn(2, 7, 1, 1)]
    expected = [
        float((2 - 2 * torch.cosine_similarity(p, q)).mean()) for p, q in zip(a, b, strict=True)
    ]
    found = losses.feature_distance(a, [3 * b[0], b[1]])
    assert float(found) == pytest.approx(sum(expected) / 2, rel=1e-5)
    assert float(losses.feature_distance(a, [2 * maps for maps in a])) == pytest.approx(0, abs=1e-6)
    assert float(losses.feature_distance(a, [-maps for maps in a])) == pytest.approx(4, rel=1e-6)


def test_the_adaptive_weight_is_the_ratio_of_lengths():
    others, adversarial = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 2.0]])
    weight = losses.adaptive_weight(others, adversarial)
    assert float(weight) == pytest.approx(5 / 2.0001)
    assert float((weight * adversarial).norm()) == pytest.approx(5, rel=1e-3)
    assert float(losses.adaptive_weight(others, 0 * adversarial)) == 1e4


def test_leaving_one_out_of_the_batch_is_the_mean_baseline_scaled():
    rewards = torch.tensor([1.0, 2.0, 4.0, 9.0])
    expected = (rewards - rewards.mean()) * 4 / 3
    torch.testing.assert_close(losses.leave_one_out(rewards, 4), expected)


def test_groups_are_judged_apart():
    advantages = losses.leave_one_out(torch.tensor([1.0, 3.0, 10.0, 4.0]), 2)
    torch.testing.assert_close(advantages, torch.tensor([-2.0, 2.0, 6.0, -6.0]))


def grids_and_log_probs(
    prior: PixelCNN, temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """All 81 grids of 2x2 codes out of 3 (81, 4), and log-probabilities (81, 4, 3)."""
    grids = torch.tensor(list(product(range(3), repeat=4)))
    logits = prior(grids.view(-1, 2, 2)).flatten(1, 2)
    return grids, policy_log_probs(logits, temperature, 0)


def gradient(value: torch.Tensor, prior: PixelCNN) -> torch.Tensor:
    parts = torch.autograd.grad(value, list(prior.parameters()), allow_unused=True)
    return torch.cat([part.flatten() for part in parts if part is not None])


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_reinforce_is_the_enumerated_policy_gradient(make_prior: MakePrior, temperature: float):
    """sum over grids of p(grid) * grad loss(grid) = -grad E[reward] / N, exactly."""
    prior = make_prior(side=2, codebook_size=3).double()
    grids, log_probs = grids_and_log_probs(prior, temperature)
    taken = log_probs.gather(-1, grids.unsqueeze(-1)).squeeze(-1)  # (81, 4)
    rewards = torch.randn(81, dtype=torch.double)
    probability = taken.sum(1).exp()
    expected = -gradient((probability * rewards).sum(), prior) / 4

    _, log_probs = grids_and_log_probs(prior, temperature)
    taken = log_probs.gather(-1, grids.unsqueeze(-1)).squeeze(-1)
    mean = sum(
        p * losses.reinforce(taken[i : i + 1], rewards[i].expand(1, 4))
        for i, p in enumerate(probability.detach())
    )
    torch.testing.assert_close(gradient(mean, prior), expected, rtol=1e-9, atol=1e-12)


def test_a_constant_baseline_leaves_the_gradient(make_prior: MakePrior):
    prior = make_prior(side=2, codebook_size=3).double()
    grids, log_probs = grids_and_log_probs(prior)
    taken = log_probs.gather(-1, grids.unsqueeze(-1)).squeeze(-1)
    weight = taken.sum(1).exp().detach().unsqueeze(1) * 81  # mean over grids -> expectation
    baseline = losses.reinforce(taken, weight * torch.ones(81, 4, dtype=torch.double))
    assert float(gradient(baseline, prior).abs().max()) < 1e-12


def test_a_baseline_of_earlier_codes_leaves_the_gradient(make_prior: MakePrior):
    """E[V(codes before t) grad log pi(code t)] = 0, whatever V is."""
    prior = make_prior(side=2, codebook_size=3).double()
    grids, log_probs = grids_and_log_probs(prior)
    taken = log_probs.gather(-1, grids.unsqueeze(-1)).squeeze(-1)
    weight = taken.sum(1).exp().detach().unsqueeze(1) * 81
    known = torch.cat((torch.zeros(81, 1), grids[:, :-1].cumsum(1)), 1).double()  # a V
    assert float(gradient(losses.reinforce(taken, weight * known.sin()), prior).abs().max()) < 1e-12


def test_kl_sums_to_the_kl_of_whole_grids(make_prior: MakePrior):
    """The chain rule: E over rollouts of the summed conditional KLs is the KL of the joints."""
    policy = make_prior(side=2, codebook_size=3, seed=0).double()
    ref_policy = make_prior(side=2, codebook_size=3, seed=1).double()
    with torch.no_grad():
        grids, p = grids_and_log_probs(policy)
        _, q = grids_and_log_probs(ref_policy)
        index = grids.unsqueeze(-1)
        joint_p, joint_q = (x.gather(-1, index).squeeze(-1).sum(1) for x in (p, q))
        expected = (joint_p.exp() * (joint_p - joint_q)).sum()
        chained = (joint_p.exp() * losses.kl(p, q).sum(1)).sum()
    assert float(chained) == pytest.approx(float(expected), rel=1e-9)
    assert float(losses.kl(p, p).abs().max()) < 1e-12


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_reward_and_kl_give_the_enumerated_gradient(make_prior: MakePrior, temperature: float):
    """The expected gradient of a step, against that of E[reward] and of the KL of whole grids.

    Each grid of 2x2 codes out of 3 is weighted by its probability. The baseline of the later KL is
    that of another rollout, in expectation: a mean over grids for each place.
    """
    policy = make_prior(side=2, codebook_size=3, seed=0).double()
    ref_policy = make_prior(side=2, codebook_size=3, seed=1).double()
    rewards, weight = torch.randn(81, dtype=torch.double), 0.3
    grids, p = grids_and_log_probs(policy, temperature)
    q = grids_and_log_probs(ref_policy, temperature)[1].detach()
    taken, of_reference = (x.gather(-1, grids.unsqueeze(-1)).squeeze(-1) for x in (p, q))
    joint = taken.sum(1).exp()
    objective = -rewards + weight * (taken - of_reference).sum(1)
    expected = gradient((joint * objective).sum() / 4, policy)

    _, p = grids_and_log_probs(policy, temperature)
    taken = p.gather(-1, grids.unsqueeze(-1)).squeeze(-1)
    joint = joint.detach().unsqueeze(1)
    kl = losses.kl(p, q)
    later = losses.later_kl(kl.detach())
    advantages = rewards.unsqueeze(1) - weight * (later - (joint * later).sum(0))
    mean = losses.reinforce(taken, 81 * joint * advantages) + weight * (joint * kl).sum() / 4
    torch.testing.assert_close(gradient(mean, policy), expected, rtol=1e-9, atol=1e-12)


def test_the_kl_of_two_codes_is_felt_by_the_first():
    """Both binary; the second differs from the ref_policy's only after a first 1. Gradient by hand.

    With p = sigmoid(logit) the probability of a first 1 and D the KL of the second code after it,
    the KL of both is KL(p || 1/2) + p D; its derivative by the logit is p (1 - p) (logit + D).
    """
    logit = torch.tensor(0.4, dtype=torch.double, requires_grad=True)
    first = torch.stack((torch.zeros_like(logit), logit)).log_softmax(0)
    second = torch.tensor([[0.5, 0.5], [0.9, 0.1]], dtype=torch.double).log()  # after 0, after 1
    policy = torch.stack((first.expand(2, 2), second), 1)  # (first code, place, code)
    kl = losses.kl(policy, torch.full((2, 2, 2), math.log(0.5), dtype=torch.double))
    p = first.detach().exp()
    cost = losses.later_kl(kl.detach())[:, 0]
    loss = (p * (kl.sum(1) + cost * first)).sum()
    (derivative,) = torch.autograd.grad(loss, logit)
    one, later = float(logit.detach().sigmoid()), 0.9 * math.log(1.8) + 0.1 * math.log(0.2)
    assert float(derivative) == pytest.approx(one * (1 - one) * (0.4 + later), rel=1e-12)


def test_later_kl_leaves_out_the_codes_own_and_all_before():
    kl = torch.tensor([[1.0, 2.0, 4.0], [0.5, 0.0, 3.0]])
    torch.testing.assert_close(
        losses.later_kl(kl), torch.tensor([[6.0, 4.0, 0.0], [3.0, 3.0, 0.0]])
    )


def test_entropy_of_known_distributions():
    uniform = torch.full((1, 1, 8), 1 / 8).log()
    assert float(losses.entropy(uniform)) == pytest.approx(math.log(8))
    skewed = torch.tensor([[[0.5, 0.25, 0.25]]]).log()
    assert float(losses.entropy(skewed)) == pytest.approx(1.5 * math.log(2))
