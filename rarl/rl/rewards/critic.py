"""The critic's side of RAL: it learns to tell decoded samples from reconstructions."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rarl import losses
from rarl.config import Critic as CriticSettings
from rarl.config import Rl
from rarl.config.stages.train import FinetuneSettings
from rarl.models.critic import Critic
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.rl.rollouts import Rollouts
from rarl.runtime import parallel, seeds
from rarl.runtime.checkpoints import Stateful
from rarl.runtime.ranks import world_size
from rarl.train.adam import adam
from rarl.train.averaging import MovingAverage


class CriticTrainer:
    """A critic and its optimiser."""

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
        self.steps = settings.steps
        self.critic = Critic(settings, channels, height, width).to(device)
        self._average = MovingAverage(self.critic, settings.ema_decay)
        # No momentum, as Gulrajani et al. 2017 (arXiv 1704.00028), algorithm 1.
        self.optimiser = adam(self.critic.parameters(), settings.learning_rate, (0.0, 0.9))

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:
        """One step on a random part of the rollouts and the reconstructions beside them."""
        real, drawn = parallel.gather(rollouts.real_images), parallel.gather(rollouts.images)
        chosen = parallel.local_shard(torch.randperm(len(drawn))[: self.settings.batch_size])
        return self.update(real[chosen], drawn[chosen])

    def update(
        self, real: Float[Tensor, "b c height width"], fake: Float[Tensor, "b c height width"]
    ) -> dict[str, Tensor]:
        """One step on as many pictures of each kind, this process's share.

        The penalty is lazy (Karras et al. 2020, arXiv 1912.04958, section 3.1): it slows every
        step by half and changes little from one to the next.
        """
        scores_real, scores_fake = self.critic(real), self.critic(fake)
        loss = self._loss(scores_real.whole, scores_fake.whole)
        if scores_real.patches is not None:
            loss = loss + self._loss(scores_real.patches.flatten(), scores_fake.patches.flatten())
        if self.updates % self.settings.penalty_every == 0:
            weight = self.settings.gradient_penalty * self.settings.penalty_every
            loss = loss + weight * self._penalty(real, fake)
        self.optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(self.critic.parameters())
        self.optimiser.step()
        self._average.update(self.critic)
        self.updates += 1
        estimate = losses.wasserstein(scores_real.whole, scores_fake.whole)
        return {"critic_loss": loss.detach(), "wasserstein": estimate.detach()}

    def state_dict(self) -> dict[str, Any]:
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        return {"updates": self.updates, **parts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.updates = state["updates"]
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Stateful]:
        return {"critic": self.critic, "average": self._average, "optimiser": self.optimiser}

    def _loss(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.settings.loss == "wasserstein":
            return -losses.wasserstein(real, fake)
        return losses.logistic(real, fake)

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.settings.loss == "wasserstein":
            mix = parallel.local_shard(torch.rand(len(real) * world_size(), device=real.device))
            return losses.gradient_penalty(self._total, real, fake, mix)
        return losses.r1_penalty(self._total, real)

    def _total(self, images: Tensor) -> Tensor:
        return self.critic(images).total

    @property
    def averaged(self) -> Critic:
        """The critic that gives the reward, in evaluation mode.

        The average forgets the chance content of single batches, which the newest weights chase.
        """
        return self._average.model

    @torch.no_grad()
    def reward(self, images: Float[Tensor, "b c height width"]) -> Scores:
        """The averaged critic's scores."""
        return self.averaged(images)


def start(
    settings: FinetuneSettings, rl: Rl, prior: CodePrior, decoder: Decoder, _: object
) -> CriticTrainer:
    """The critic of an RL run, of what its rollouts show."""
    assert isinstance(rl.reward, CriticSettings)  # of this kind
    torch.manual_seed(seeds.derive(settings.seed, "finetune", "critic"))
    return CriticTrainer(
        rl.reward,
        decoder.channels,
        decoder.scale * settings.rows[-1],
        decoder.scale * prior.sides[-1],
        prior.device,
    )
