"""RAL with the single reward: policy gradient on the prior against a critic (paper, section 3)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rarl import losses
from rarl.config import Rl
from rarl.models.pixelcnn import PixelCNN
from rarl.models.saved import CodeSet
from rarl.models.vqvae import VQVAE
from rarl.runtime import seeds
from rarl.sampling import policy_log_probs, sample
from rarl.train.adversary import Adversary
from rarl.train.batches import batch_indices

SCALE_DECAY = 0.95  # of the moving average that scales advantages: about 20 iterations


class Rollouts(NamedTuple):
    """A batch of drawn grids beside the real ones that they share their context with."""

    codes: Tensor  # (B, h, w) int64; the first `given` in raster order are the real picture's
    given: int
    images: Tensor  # (B, 3, H, W) the decoded codes
    real_images: Tensor  # (B, 3, H, W) reconstructions of the real pictures


@dataclass
class Reinforce:
    """The state of an RL run; `step` is one iteration.

    The policy stays in evaluation mode: dropout would make the distribution that is scored
    differ from the one that was sampled.
    """

    settings: Rl
    policy: PixelCNN
    anchor: PixelCNN  # the frozen MLE prior
    vqvae: VQVAE
    adversary: Adversary
    optimiser: torch.optim.Optimizer
    train: CodeSet  # codes of real pictures; their reconstructions are the critic's real side
    seed: int
    temperature: float
    top_k: int
    advantage_square: Tensor | None = None  # moving average

    def step(self, i: int) -> dict[str, Tensor]:
        """Rollouts, one policy step, critic steps; the first call warms the critic up.

        The rewards come before the critic trains on these rollouts: it has not memorised them.
        """
        self.policy.eval()
        critic = self.settings.critic
        if i == 0:
            for warm_up in range(critic.warmup_steps):
                self.train_critic(self.rollouts(critic.batch_size, "warm-up", warm_up))
        rollouts = self.rollouts(self.settings.batch_size, "rollouts", i)
        figures = self.update_policy(rollouts, self.adversary.reward(rollouts.images), i)
        for _ in range(critic.steps):
            figures |= self.train_critic(rollouts)
        return figures

    @torch.no_grad()
    def rollouts(self, count: int, purpose: str, step: int) -> Rollouts:
        """Continues contexts: the first rows of real pictures, as many as a random number says."""
        side, repeats = self.policy.side, self.settings.rollouts_per_context
        given = side * int(torch.randint(self.settings.context_rows + 1, ()))
        real = self.real_codes(-(-count // repeats), purpose, step)
        real = real.repeat_interleave(repeats, 0)[:count]
        codes = sample(
            self.policy,
            torch.rand(count, side**2).to(real.device),
            temperature=self.temperature,
            top_k=self.top_k,
            prefix=real.flatten(1)[:, :given],
        )
        return Rollouts(codes, given, self.vqvae.decode((codes,)), self.vqvae.decode((real,)))

    def real_codes(self, count: int, purpose: str, step: int) -> Tensor:
        """(count, h, w) codes of real pictures, epoch by epoch."""
        order = seeds.derive(self.seed, "finetune", purpose)
        indices = batch_indices(len(self.train), count, order, step)
        (grid,) = self.train.take(indices, self.policy.logits.weight.device)
        return grid

    def train_critic(self, rollouts: Rollouts) -> dict[str, Tensor]:
        """One critic step on a random part of the rollouts and the reconstructions beside them."""
        part = torch.randperm(len(rollouts.images))[: self.settings.critic.batch_size]
        return self.adversary.update(rollouts.real_images[part], rollouts.images[part])

    def update_policy(self, rollouts: Rollouts, rewards: Tensor, i: int) -> dict[str, Tensor]:
        """One step of reward + KL to the anchor (+ NLL), means over the codes that were drawn."""
        codes, drawn = rollouts.codes, slice(rollouts.given, None)
        log_probs = self._log_probs(self.policy, codes)[:, drawn]  # (B, N, K)
        with torch.no_grad():
            anchor = self._log_probs(self.anchor, codes)[:, drawn]
        actions = codes.flatten(1)[:, drawn].unsqueeze(-1)
        taken = log_probs.gather(-1, actions).squeeze(-1)  # (B, N)
        group = self.settings.rollouts_per_context if rollouts.given else len(codes)
        returns = self.scaled(losses.leave_one_out(rewards, group))  # (B,)
        credit = returns.unsqueeze(1).expand_as(taken)  # every code gets the picture's
        divergence = losses.kl(log_probs, anchor)  # (B, N)

        loss = losses.reinforce(taken, credit) + self.settings.kl_weight * divergence.mean()
        if self.settings.mle_weight:
            real = self.real_codes(len(codes), "mle", i)
            loss = loss + self.settings.mle_weight * losses.nll(self.policy(real), real)
        self.optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.policy.parameters(), self.settings.gradient_clip)
        self.optimiser.step()
        return {
            "reward_mean": rewards.mean(),
            "reward_std": rewards.std(),
            "kl": divergence.detach().mean() * self.policy.side**2,
            "entropy": losses.entropy(log_probs.detach()).mean(),
            "gradient_norm": norm,
        }

    def scaled(self, advantages: Tensor) -> Tensor:
        """Advantages in units of their usual size, a moving average over iterations.

        Not of the batch's own deviation: when most of a picture is given, little is at stake.
        """
        square = advantages.square().mean()
        if self.advantage_square is None:
            self.advantage_square = square
        self.advantage_square = self.advantage_square.lerp(square, 1 - SCALE_DECAY)
        return advantages / (self.advantage_square.sqrt() + 1e-8)

    def _log_probs(self, prior: PixelCNN, codes: Tensor) -> Tensor:
        """(B, N, K) log-probabilities of the distribution that `rollouts` samples."""
        return policy_log_probs(prior(codes), self.temperature, self.top_k).flatten(1, 2)
