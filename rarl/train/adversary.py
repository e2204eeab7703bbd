"""The critic's side of RAL: it learns to tell decoded samples from reconstructions."""

import torch
from jaxtyping import Float
from torch import Tensor

from rarl import losses
from rarl.config import Critic as CriticSettings
from rarl.models.critic import Critic
from rarl.train.averaging import MovingAverage


class Adversary:
    """A critic and its optimiser."""

    def __init__(self, settings: CriticSettings, image_size: int, device: torch.device) -> None:
        self.settings, self.steps = settings, 0
        self.critic = Critic(settings, image_size).to(device)
        self._average = MovingAverage(self.critic, settings.ema_decay)
        # No momentum, as Gulrajani et al. 2017 (arXiv 1704.00028), algorithm 1.
        self.optimiser = torch.optim.Adam(
            self.critic.parameters(), settings.learning_rate, betas=(0.0, 0.9)
        )

    def update(
        self, real: Float[Tensor, "b 3 height width"], fake: Float[Tensor, "b 3 height width"]
    ) -> dict[str, Tensor]:
        """One step on as many pictures of each kind.

        The penalty is lazy (Karras et al. 2020, arXiv 1912.04958, section 3.1): it slows every
        step by half and changes little from one to the next.
        """
        score_real, score_fake = self.critic(real), self.critic(fake)
        estimate = losses.wasserstein(score_real, score_fake)
        if self.settings.loss == "wasserstein":
            loss = -estimate
        else:
            loss = losses.logistic(score_real, score_fake)
        if self.steps % self.settings.penalty_every == 0:
            weight = self.settings.gradient_penalty * self.settings.penalty_every
            loss = loss + weight * self._penalty(real, fake)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self._average.update(self.critic)
        self.steps += 1
        return {"critic_loss": loss.detach(), "wasserstein": estimate.detach()}

    def _penalty(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.settings.loss == "wasserstein":
            mix = torch.rand(len(real), device=real.device)
            return losses.gradient_penalty(self.critic, real, fake, mix)
        return losses.r1_penalty(self.critic, real)

    @torch.no_grad()
    def reward(self, images: Float[Tensor, "b 3 height width"]) -> Float[Tensor, " b"]:
        """The single reward: the averaged critic's score of the whole picture.

        The average forgets the chance content of single batches, which the newest weights chase.
        """
        return self._average.model(images)
