"""The objectives: pure functions, one equation each.

B images, N codes an image, K codebook entries. Log-probabilities are in nats.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


def nll(
    logits: Sequence[Float[Tensor, "b h w k"]], codes: Sequence[Int[Tensor, "b h w"]]
) -> Float[Tensor, ""]:
    """Negative log-likelihood, nats a code, averaged over all codes of all levels.

    The loss of maximum likelihood.
    """
    pairs = zip(logits, codes, strict=True)
    sums = [F.cross_entropy(a.flatten(0, 2), b.flatten(), reduction="sum") for a, b in pairs]
    return torch.stack(sums).sum() / sum(level.numel() for level in codes)


def wasserstein(real: Float[Tensor, " b"], fake: Float[Tensor, " c"]) -> Float[Tensor, ""]:
    """The critic's estimate E[D(real)] - E[D(fake)] (Arjovsky et al. 2017, arXiv 1701.07875)."""
    return real.mean() - fake.mean()


def logistic(real: Float[Tensor, " b"], fake: Float[Tensor, " c"]) -> Float[Tensor, ""]:
    """-E[log s(D(real))] - E[log(1 - s(D(fake)))] with the sigmoid s.

    Goodfellow et al. 2014 (arXiv 1406.2661), equation 1. Its optimum D is the log of the ratio of
    the densities of real and fake: a reward in nats.
    """
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def r1_penalty(critic: Callable[..., Tensor], *real: Float[Tensor, "b ..."]) -> Float[Tensor, ""]:
    """|grad D(x)|^2 / 2 at real images, averaged (Mescheder et al. 2018, arXiv 1801.04406).

    `real` is what the critic sees of them: pixels, or several maps of features.
    """
    at = [part.detach().requires_grad_() for part in real]
    gradients = torch.autograd.grad(critic(*at).sum(), at, create_graph=True)
    squares = [gradient.flatten(1).square().sum(1) for gradient in gradients]  # (B,) each
    return torch.stack(squares).sum(0).mean() / 2


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "b c height width"],
    fake: Float[Tensor, "b c height width"],
    mix: Float[Tensor, " b"],
) -> Float[Tensor, ""]:
    """(|grad D(x)| - 1)^2 between real and fake, averaged.

    Gulrajani et al. 2017 (arXiv 1704.00028), equation 3; `mix` in [0, 1) is their epsilon.
    """
    weight = mix.view(-1, 1, 1, 1)
    between = (weight * real + (1 - weight) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def hinge(real: Float[Tensor, "..."], fake: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """(E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))]) / 2: the loss of a discriminator.

    Lim & Ye 2017 (arXiv 1705.02894); the half is that of Esser et al. 2021 (arXiv 2012.09841).
    """
    return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2


def feature_distance(
    real: Sequence[Float[Tensor, "b _c _h _w"]], fake: Sequence[Float[Tensor, "b _c _h _w"]]
) -> Float[Tensor, ""]:
    """Squared distance of unit vectors along the channels, averaged over places and over maps.

    From 0 to 4. Zhang et al. 2018 (arXiv 1801.03924), equation 1 with all w_l = 1: LPIPS without
    what it learnt of people.
    """
    pairs = zip(real, fake, strict=True)
    maps = [(F.normalize(a) - F.normalize(b)).square().sum(1).mean() for a, b in pairs]
    return torch.stack(maps).mean()


def adaptive_weight(others: Float[Tensor, "..."], adversarial: Float[Tensor, "..."]) -> Tensor:
    """The weight that makes an adversarial gradient as long as that of the other losses.

    |others| / (|adversarial| + 1e-4), at most 1e4: Esser et al. 2021 (arXiv 2012.09841), equation
    7, with the constants of the authors' program. Both gradients are of the decoder's last layer.
    """
    return (others.norm() / (adversarial.norm() + 1e-4)).clamp(max=1e4)


def likelihood_ratio(
    real: Float[Tensor, " b"], fake: Float[Tensor, " c"], alpha: float, beta: float
) -> Float[Tensor, ""]:
    """-E[log s(beta D(real))] - alpha E[log(1 - s(beta D(fake)))] with the sigmoid s.

    D is log p(x) - log p_ref(x), and the fake are samples of p_ref: Zheng et al. 2025 (arXiv
    2503.01103), the objective of direct discriminative optimisation. With alpha = beta = 1 its
    optimum is the distribution of the real codes.
    """
    return F.softplus(-beta * real).mean() + alpha * F.softplus(beta * fake).mean()


def reward_to_go(rewards: Float[Tensor, "b n"], discount: float) -> Float[Tensor, "b n"]:
    """Discounted sums of this and all later rewards: sum over j >= i of discount^(j - i) r_j.

    Sutton & Barto 2018, "Reinforcement learning", equation 3.8.
    """
    returns = rewards.clone()
    for n in reversed(range(rewards.shape[1] - 1)):
        returns[:, n] += discount * returns[:, n + 1]
    return returns


def leave_one_out(rewards: Float[Tensor, "b ..."], group: int) -> Float[Tensor, "b ..."]:
    """Rewards less the mean of the others in their group of `group` neighbours (at least 2).

    Kool et al. 2019, "Buy 4 REINFORCE samples, get a baseline for free". Raises RuntimeError
    when `group` does not divide the batch.
    """
    grouped = rewards.view(-1, group, *rewards.shape[1:])
    others = (grouped.sum(1, keepdim=True) - grouped) / (group - 1)
    return (grouped - others).flatten(0, 1)


def reinforce(
    log_probs: Float[Tensor, "b n"], advantages: Float[Tensor, "b n"]
) -> Float[Tensor, ""]:
    """-E[A log pi(a)], a code: its gradient is minus the policy gradient over N.

    Williams 1992 (doi 10.1007/BF00992696). The advantages are constants.
    """
    return -(advantages.detach() * log_probs).mean()


def kl(policy: Float[Tensor, "b n k"], ref_policy: Float[Tensor, "b n k"]) -> Float[Tensor, "b n"]:
    """KL(policy || reference policy) of every code's distribution given the codes before it, exact.

    Averaged over rollouts and summed over codes it is the KL of whole images, by the chain rule;
    for its gradient see `later_kl`. Takes log-probabilities.
    """
    return (policy.exp() * (policy - ref_policy)).sum(-1)


def later_kl(kl: Float[Tensor, "b n"]) -> Float[Tensor, "b n"]:
    """The KL of the later codes, to which each code leads: sum over j > i of kl_j.

    KL_j depends on the policy's weights directly, and through the distribution of the codes before
    j. So E[sum_j KL_j] has the gradient E[sum_i (grad KL_i + grad log pi(a_i) sum_{j > i} KL_j)]
    (Schulman et al. 2015, arXiv 1506.05254, theorem 1): the second term is that of a policy
    gradient, with this sum as the cost of code i.
    """
    return kl.flip(1).cumsum(1).flip(1) - kl


def entropy(log_probs: Float[Tensor, "b n k"]) -> Float[Tensor, "b n"]:
    """Entropy of every code's distribution, nats."""
    return -(log_probs.exp() * log_probs).sum(-1)
