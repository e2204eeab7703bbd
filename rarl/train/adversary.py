"""The critic's side of RAL: it learns to tell decoded samples from reconstructions."""

import torch
from jaxtyping import Float
from torch import Tensor

from rarl.config import Critic as CriticSettings
from rarl.losses import gradient_penalty, wasserstein
from rarl.models.critic import Critic
from rarl.train.averaging import MovingAverage


class Adversary:
    """A critic and its optimiser."""

    def __init__(self, settings: CriticSettings, image_size: int, device: torch.device) -> None:
        self.settings = settings
        self.critic = Critic(settings, image_size).to(device)
        self._average = MovingAverage(self.critic, settings.ema_decay)
        # No momentum, as Gulrajani et al. 2017 (arXiv 1704.00028), algorithm 1.
        self.optimiser = torch.optim.Adam(
            self.critic.parameters(), settings.learning_rate, betas=(0.0, 0.9)
        )

    def update(
        self, real: Float[Tensor, "b 3 height width"], fake: Float[Tensor, "b 3 height width"]
    ) -> dict[str, Tensor]:
        """One step of WGAN-GP on as many pictures of each kind."""
        estimate = wasserstein(self.critic(real), self.critic(fake))
        mix = torch.rand(len(real), device=real.device)
        penalty = gradient_penalty(self.critic, real, fake, mix)
        loss = self.settings.gradient_penalty * penalty - estimate
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        self._average.update(self.critic)
        return {"critic_loss": loss.detach(), "wasserstein": estimate.detach()}

    @torch.no_grad()
    def reward(self, images: Float[Tensor, "b 3 height width"]) -> Float[Tensor, " b"]:
        """The single reward: the averaged critic's score of the whole picture.

        The average forgets the chance content of single batches, which the newest weights chase.
        """
        return self._average.model(images)
