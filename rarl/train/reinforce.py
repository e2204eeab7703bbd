"""RAL with the single reward: policy gradient on the prior against a critic (paper, section 3)."""

from dataclasses import dataclass

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

    def step(self, i: int) -> dict[str, Tensor]:
        """Rollouts, critic steps, one policy step; the first call warms the critic up."""
        self.policy.eval()
        if i == 0:
            for warm_up in range(self.settings.critic.warmup_steps):
                rollouts = self.rollouts(self.settings.critic.batch_size)
                self.train_critic(self.vqvae.decode((rollouts,)), "warm-up", warm_up)
        codes = self.rollouts(self.settings.batch_size)  # (B, h, w)
        with torch.no_grad():
            images = self.vqvae.decode((codes,))
        figures = {}
        for repeat in range(self.settings.critic.steps):
            at = i * self.settings.critic.steps + repeat
            figures = self.train_critic(images, "critic", at)
        rewards = self.adversary.reward(images)  # (B,)
        return figures | self.update_policy(codes, rewards, i)

    def rollouts(self, count: int) -> Tensor:
        """(count, h, w) codes drawn from the policy."""
        device = self.policy.logits.weight.device
        uniforms = torch.rand(count, self.policy.side**2).to(device)
        return sample(self.policy, uniforms, temperature=self.temperature, top_k=self.top_k)

    def real_codes(self, count: int, purpose: str, step: int) -> Tensor:
        """(count, h, w) codes of real pictures, epoch by epoch."""
        order = seeds.derive(self.seed, "finetune", purpose)
        indices = batch_indices(len(self.train), count, order, step)
        (grid,) = self.train.take(indices, self.policy.logits.weight.device)
        return grid

    def train_critic(self, fakes: Tensor, purpose: str, step: int) -> dict[str, Tensor]:
        """One critic step on a random part of the decoded rollouts."""
        count = min(self.settings.critic.batch_size, len(fakes))
        fake = fakes[torch.randperm(len(fakes))[:count]]
        with torch.no_grad():
            real = self.vqvae.decode((self.real_codes(count, purpose, step),))
        return self.adversary.update(real, fake.detach())

    def update_policy(self, codes: Tensor, rewards: Tensor, i: int) -> dict[str, Tensor]:
        """One step of reward + KL to the anchor + NLL of real codes, each a mean over codes."""
        log_probs = self._log_probs(self.policy, codes)  # (B, N, K)
        with torch.no_grad():
            anchor = self._log_probs(self.anchor, codes)
        taken = log_probs.gather(-1, codes.flatten(1).unsqueeze(-1)).squeeze(-1)  # (B, N)
        advantages = losses.standardise(rewards).unsqueeze(1).expand_as(taken)
        divergence = losses.kl(log_probs, anchor)  # (B, N)

        policy_loss = losses.reinforce(taken, advantages)
        kl_loss = self.settings.kl_weight * divergence.mean()
        loss = policy_loss + kl_loss
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
            "kl": divergence.detach().sum(1).mean(),
            "entropy": losses.entropy(log_probs.detach()).mean(),
            "gradient_norm": norm,
        }

    def _log_probs(self, prior: PixelCNN, codes: Tensor) -> Tensor:
        """(B, N, K) log-probabilities of the distribution that `rollouts` samples."""
        return policy_log_probs(prior(codes), self.temperature, self.top_k).flatten(1, 2)
