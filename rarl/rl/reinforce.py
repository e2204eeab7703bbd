"""RAL: policy gradient on the prior by a reward, a critic's or another (paper, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from rarl import losses
from rarl.config import Rl
from rarl.data.batches import batch_indices
from rarl.models.codes import Codes, CodeSet
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.rl.advantages import Credit, group_size
from rarl.rl.rollouts import Rollouts, random_part, roll_out, within
from rarl.rl.scoring import CodeScores, score_codes
from rarl.runtime import parallel, seeds
from rarl.runtime.ranks import world_size


class RewardSource(Protocol):
    """What judges rollouts, and learns from them."""

    warmup_steps: int  # batches that it learns from before the first reward
    warmup_batch: int  # their pictures, of all processes
    steps: int  # times that it learns from a batch it has rewarded

    def reward(self, images: Tensor) -> Scores:
        """Of pictures, of this process's share."""
        ...

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@dataclass
class Reinforce:
    """The state of an RL run; `step` is one iteration.

    The policy stays in evaluation mode: dropout would make the distribution that is scored
    differ from the one that was sampled. All grids' priors learn from the one reward.
    """

    settings: Rl
    rows: tuple[int, ...]  # that a rollout draws of each grid
    policy: CodePrior
    anchor: CodePrior  # frozen: where the policy starts
    decoder: Decoder
    source: RewardSource
    credit: Credit
    optimiser: torch.optim.Optimizer
    train: CodeSet  # codes of real pictures; their reconstructions are a critic's real side
    seed: int
    temperature: float
    top_k: int

    def step(self, i: int) -> dict[str, Tensor]:
        """Rollouts, one policy step, then their judge learns; before step 0 the judge alone.

        The rewards come before a critic trains on these rollouts: it has not memorised them.
        """
        self.policy.eval()
        if i < 0:
            number = self.source.warmup_steps + i
            return self.source.learn(self.rollouts(self.source.warmup_batch, "warm-up", number))
        rollouts = self.rollouts(self.settings.batch_size, "rollouts", i)
        figures = self.update_policy(rollouts, i)
        for _ in range(self.source.steps):
            figures |= self.source.learn(rollouts)
        return figures

    def state_dict(self) -> dict[str, Any]:
        """What a run changes beside the policy and its optimiser."""
        return {"source": self.source.state_dict(), "credit": self.credit.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.source.load_state_dict(state["source"])
        self.credit.load_state_dict(state["credit"])

    def rollouts(self, count: int, purpose: str, step: int) -> Rollouts:
        """At least `count`: `rollouts_per_context` neighbours share a real picture's context."""
        rows = random_part(self.rows, self.policy.sides)
        repeats = self.settings.rollouts_per_context
        return roll_out(
            self.policy,
            self.decoder,
            self.real_codes(-(-count // repeats), purpose, step),
            rows,
            repeats=repeats,
            temperature=self.temperature,
            top_k=self.top_k,
        )

    def real_codes(self, count: int, purpose: str, step: int) -> Codes:
        """Of `count` real pictures, epoch by epoch, the codes of this process's share."""
        order = seeds.derive(self.seed, "finetune", purpose)
        indices = batch_indices(len(self.train), count, order, step)
        return self.train.take(parallel.local_shard(indices), self.policy.device)

    def update_policy(self, rollouts: Rollouts, i: int) -> dict[str, Tensor]:
        """One step of reward, KL to the anchor and NLL, each a mean over the codes drawn.

        The gradient of the KL has two parts: each code's own KL, and the KL of the later codes,
        which the drawn code leads to; the second is a cost in the code's advantage.
        """
        reward = everyones(self.source.reward(rollouts.images))
        scored = self.score(rollouts)
        later = losses.later_kl(parallel.gather(scored.kl.detach()))  # (B, N), of all processes
        group = group_size(self.settings.rollouts_per_context, len(later))
        gain = self.credit(reward, rollouts.rows, self.policy.sides)
        cost = self.settings.kl_weight * losses.leave_one_out(later, group)
        advantages = parallel.local_shard(gain - cost)

        policy_loss = losses.reinforce(scored.log_probs, advantages)
        (policy_loss + self.settings.kl_weight * scored.kl.mean()).backward()
        if self.settings.mle_weight:  # a pass of its own: memory never holds both passes
            real = self.real_codes(len(advantages) * world_size(), "mle", i)
            logits = self.policy(real, rollouts.rows)
            nll = losses.nll(logits, within(real, rollouts.rows))
            (self.settings.mle_weight * nll).backward()
        parallel.average_gradients(self.policy.parameters())
        norm = nn.utils.clip_grad_norm_(self.policy.parameters(), self.settings.gradient_clip)
        self.optimiser.step()
        self.optimiser.zero_grad()  # the rollouts need the memory
        return {
            "reward_mean": reward.whole.mean(),
            "reward_std": reward.whole.std(),
            "kl": scored.kl.detach().sum(1).mean(),
            "entropy": scored.entropy.mean(),
            "gradient_norm": norm,
        }

    def score(self, rollouts: Rollouts) -> CodeScores:
        """Of the codes that were drawn, as the sampler draws them."""
        return score_codes(
            self.policy,
            self.anchor,
            rollouts.codes,
            rollouts.rows,
            temperature=self.temperature,
            top_k=self.top_k,
        )


def everyones(scores: Scores) -> Scores:
    """Of all processes' rollouts: each is judged beside all others."""
    patches = scores.patches if scores.patches is None else parallel.gather(scores.patches)
    return Scores(parallel.gather(scores.whole), patches)
