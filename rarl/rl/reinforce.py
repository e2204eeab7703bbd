"""RAL: an iteration of reinforced adversarial learning, from top to bottom (paper, section 3).

Sample, decode, reward, advantages, loss, update, critic step. docs/method.md names the equation
behind each function, the symbol of each setting, and the healthy range of each metric.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from rarl import losses
from rarl.config import Rl
from rarl.data.batches import batch_indices
from rarl.models.codes import Codes, CodeSet
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.rl.advantages import AdvantageEstimator, group_size
from rarl.rl.rewards.source import RewardSource
from rarl.rl.rollouts import Rollouts, random_part, roll_out, within
from rarl.rl.scoring import CodeScores, score_codes
from rarl.rl.update import Run, Update
from rarl.runtime import parallel, seeds
from rarl.runtime.ranks import world_size


def start(run: Run) -> Update:
    """An RL run from the prior at its start temperature, which is the reference policy, too."""
    settings, rl = run.settings, run.settings.rl
    assert isinstance(rl, Rl)  # with this objective
    reward = cast(RewardSource, run.reward)
    run.prior.scale_logits(rl.start_temperature)
    learner = Reinforce(
        settings=rl,
        rows=settings.rows,
        policy=run.prior,
        ref_policy=deepcopy(run.prior).eval().requires_grad_(False),
        decoder=run.decoder,
        reward=reward,
        advantages=AdvantageEstimator(rl, run.prior.device),
        optimiser=run.optimiser,
        train=run.train,
        seed=settings.seed,
        temperature=settings.temperature,
        top_k=settings.top_k,
    )
    return Update(learner.step, reward.warmup_steps, {"reinforce": learner})


@dataclass
class Reinforce:
    """The state of an RL run; `step` is one iteration. All levels learn from the one reward."""

    settings: Rl
    rows: tuple[int, ...]  # that a rollout samples of each level
    policy: CodePrior
    ref_policy: CodePrior  # frozen: where the policy starts
    decoder: Decoder
    reward: RewardSource
    advantages: AdvantageEstimator
    optimiser: torch.optim.Optimizer
    train: CodeSet  # codes of real images; their reconstructions are a critic's real side
    seed: int
    temperature: float
    top_k: int

    def step(self, i: int) -> dict[str, Tensor]:
        """One iteration; before iteration 0 the reward's source alone learns. Returns metrics.

        The policy stays in evaluation mode: dropout would make the distribution that is scored
        differ from the one that was sampled. The rewards come before a critic trains on these
        rollouts: it has not memorised them.
        """
        self.policy.eval()
        if i < 0:
            number = self.reward.warmup_steps + i
            self.reward.warm_up(self.sample(self.reward.warmup_batch, "warm-up", number))
            return {}
        rollouts = self.sample(self.settings.batch_size, "rollouts", i)
        metrics = self.update(rollouts, i)
        return metrics | self.reward.learn(rollouts)

    def sample(self, count: int, purpose: str, step: int) -> Rollouts:
        """Samples and decodes at least `count` rollouts.

        `rollouts_per_context` neighbours share a real image's context.
        """
        repeats = self.settings.rollouts_per_context
        return roll_out(
            self.policy,
            self.decoder,
            self.real_codes(-(-count // repeats), purpose, step),
            random_part(self.rows, self.policy.sides),
            repeats=repeats,
            temperature=self.temperature,
            top_k=self.top_k,
        )

    def update(self, rollouts: Rollouts, i: int) -> dict[str, Tensor]:
        """One step of the policy by reward, KL to the reference policy and NLL of real codes.

        Each term is a mean over the sampled codes. The gradient of the KL has two parts: each
        code's own KL, and the KL of the later codes, to which the sampled code leads; the second
        is a cost in the code's advantage.
        """
        rl = self.settings
        # Reward.
        scores = of_all_processes(self.reward.score(rollouts.images))
        scored = self.score(rollouts)

        # Advantages (B, N), of all processes' rollouts, then this process's share.
        later = losses.later_kl(parallel.gather(scored.kl.detach()))
        group = group_size(rl.rollouts_per_context, len(later))
        gain = self.advantages(scores, rollouts.rows, self.policy.sides)
        cost = rl.kl_weight * losses.leave_one_out(later, group)
        advantages = parallel.local_shard(gain - cost)

        # Loss: policy_loss + kl_loss + mle_loss. The last has a pass of its own, so that memory
        # never holds both passes.
        policy_loss = losses.reinforce(scored.log_probs, advantages)
        kl_loss = rl.kl_weight * scored.kl.mean()
        (policy_loss + kl_loss).backward()
        terms = {"policy_loss": policy_loss.detach(), "kl_loss": kl_loss.detach()}
        if rl.mle_weight:
            mle_loss = rl.mle_weight * self.nll_of_real(len(advantages), rollouts, i)
            mle_loss.backward()
            terms["mle_loss"] = mle_loss.detach()

        # Update.
        parallel.average_gradients(self.policy.parameters())
        norm = nn.utils.clip_grad_norm_(self.policy.parameters(), rl.gradient_clip)
        self.optimiser.step()
        self.optimiser.zero_grad()  # the rollouts need the memory
        return terms | {
            "loss": torch.stack(list(terms.values())).sum(),
            "reward_mean": scores.whole.mean(),
            "reward_std": scores.whole.std(),
            "kl": scored.kl.detach().sum(1).mean(),
            "entropy": scored.entropy.mean(),
            "gradient_norm": norm,
        }

    def score(self, rollouts: Rollouts) -> CodeScores:
        """Of the codes that were sampled, under the distribution that the sampler samples."""
        return score_codes(
            self.policy,
            self.ref_policy,
            rollouts.codes,
            rollouts.rows,
            temperature=self.temperature,
            top_k=self.top_k,
        )

    def nll_of_real(self, count: int, rollouts: Rollouts, step: int) -> Tensor:
        """Nats a code, of as many real images as this process has rollouts."""
        real = self.real_codes(count * world_size(), "mle", step)
        return losses.nll(self.policy(real, rollouts.rows), within(real, rollouts.rows))

    def real_codes(self, count: int, purpose: str, step: int) -> Codes:
        """Of `count` real images, epoch by epoch, the codes of this process's share."""
        order = seeds.derive(self.seed, "finetune", purpose)
        indices = batch_indices(len(self.train), count, order, step)
        return self.train.take(parallel.local_shard(indices), self.policy.device)

    def state_dict(self) -> dict[str, Any]:
        """What a run changes beside the policy and its optimiser."""
        return {"reward": self.reward.state_dict(), "advantages": self.advantages.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.reward.load_state_dict(state["reward"])
        self.advantages.load_state_dict(state["advantages"])


def of_all_processes(scores: Scores) -> Scores:
    """Each rollout is compared with all others."""
    patches = scores.patches if scores.patches is None else parallel.gather(scores.patches)
    return Scores(parallel.gather(scores.whole), patches)
