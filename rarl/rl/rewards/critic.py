"""The paper's reward: a critic that learns to tell decoded samples from reconstructions."""

from collections.abc import Mapping
from typing import Any, assert_never

import torch
from jaxtyping import Float
from torch import Tensor

from rarl import losses
from rarl.config import Critic as CriticSettings
from rarl.models.scores import Scores
from rarl.rl.critics.network import Answer, CriticNetwork, Seen
from rarl.rl.critics.network import build as build_network
from rarl.rl.rewards.inputs import RewardInputs
from rarl.rl.rollouts import Rollouts
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Stateful
from rarl.runtime.ranks import world_size
from rarl.train.adam import adam
from rarl.train.averaging import MovingAverage


class CriticTrainer:
    """A critic, its optimiser, and the average of its weights, which gives the reward."""

    def __init__(
        self,
        settings: CriticSettings,
        channels: int,
        height: int,
        width: int,
        device: torch.device,
    ) -> None:
        self.settings, self.updates = settings, 0
        self.warmup_steps, self.warmup_batch = settings.warmup_steps, settings.batch_size
        self.critic = build_network(settings, channels, height, width).to(device)
        self._average = MovingAverage(self.critic, settings.ema_decay)
        parameters = self.critic.parameters()
        self.optimiser = adam(parameters, settings.learning_rate, self.critic.betas)
        self._seen: tuple[Tensor, Seen] | None = None  # images that were scored

    @property
    def averaged(self) -> CriticNetwork:
        """The critic that gives the reward, in evaluation mode.

        The average forgets the chance content of single batches, which the newest weights chase.
        """
        return self._average.model

    @torch.no_grad()
    def score(self, images: Float[Tensor, "b c height width"]) -> Scores:
        """The averaged critic's scores."""
        self._seen = images, self.critic.see(images)
        return self.averaged.answer(self._seen[1]).scores

    def warm_up(self, rollouts: Rollouts) -> None:
        self._learn(rollouts, 1)

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:
        return self._learn(rollouts, self.settings.steps)

    def _learn(self, rollouts: Rollouts, steps: int) -> dict[str, Tensor]:
        """Steps, each on a random part of the rollouts and the reconstructions beside them."""
        real, fake = (
            tuple(parallel.gather(part) for part in self._see(images))
            for images in (rollouts.real_images, rollouts.images)
        )
        self._seen, metrics = None, {}
        for _ in range(steps):
            order = torch.randperm(len(fake[0]))[: self.settings.batch_size]
            chosen = parallel.local_shard(order)
            metrics = self.step(
                tuple(part[chosen] for part in real), tuple(part[chosen] for part in fake)
            )
        return metrics

    @torch.no_grad()
    def _see(self, images: Tensor) -> Seen:
        if self._seen is not None and self._seen[0] is images:
            return self._seen[1]
        return self.critic.see(images)

    def update(
        self, real: Float[Tensor, "b c height width"], fake: Float[Tensor, "b c height width"]
    ) -> dict[str, Tensor]:
        """One step on as many images of each kind, this process's share."""
        return self.step(self._see(real), self._see(fake))

    def step(self, real: Seen, fake: Seen) -> dict[str, Tensor]:
        """One step on what the network sees of real and of sampled images.

        The penalty is lazy (Karras et al. 2020, arXiv 1912.04958, section 3.1): it slows every
        step by half and changes little from one to the next.
        """
        on_real, on_fake = self.critic.answer(real), self.critic.answer(fake)
        loss = self._loss(on_real, on_fake)
        if self.updates % self.settings.penalty_every == 0:
            weight = self.settings.gradient_penalty * self.settings.penalty_every
            loss = loss + weight * self._penalty(real, fake)
        self.optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(self.critic.parameters())
        self.optimiser.step()
        self._average.update(self.critic)
        self.updates += 1
        gap = losses.wasserstein(on_real.scores.whole, on_fake.scores.whole)
        return {"critic_loss": loss.detach(), "wasserstein": gap.detach()}

    def state_dict(self) -> dict[str, Any]:
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {"updates": self.updates, **parts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.updates = state["updates"]
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Stateful]:
        return {"critic": self.critic, "average": self._average, "optimiser": self.optimiser}

    def _loss(self, real: Answer, fake: Answer) -> Tensor:
        """The sum over the network's logits: of whole images, and of patches or of heads."""
        pairs = zip(real.logits, fake.logits, strict=True)
        first, *others = (self._loss_of(a.flatten(), b.flatten()) for a, b in pairs)
        for other in others:
            first = first + other
        return first

    def _loss_of(self, real: Float[Tensor, " n"], fake: Float[Tensor, " n"]) -> Tensor:
        match self.settings.loss:
            case "wasserstein":
                return -losses.wasserstein(real, fake)
            case "logistic":
                return losses.logistic(real, fake)
            case "hinge":
                return losses.hinge(real, fake)
            case other:
                assert_never(other)

    def _penalty(self, real: Seen, fake: Seen) -> Tensor:
        match self.settings.loss:
            case "wasserstein":
                size = len(real[0]) * world_size()
                mix = parallel.local_shard(torch.rand(size, device=real[0].device))
                (real_images,), (fake_images,) = real, fake
                return losses.gradient_penalty(self._total, real_images, fake_images, mix)
            case "logistic" | "hinge":
                return losses.r1_penalty(self._total, *real)
            case other:
                assert_never(other)

    def _total(self, *seen: Tensor) -> Tensor:
        return self.critic.answer(seen).total


def build(settings: CriticSettings, inputs: RewardInputs) -> CriticTrainer:
    """The critic of an RL run, of what its rollouts show."""
    torch.manual_seed(seeds.derive(inputs.seed, "finetune", "critic"))
    return CriticTrainer(settings, *inputs.shape, inputs.device)
