"""The adversarial loss of a VQ-VAE, and the discriminator that learns beside it."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import Adversarial
from rarl.losses import adaptive_weight, hinge
from rarl.models.discriminator import Discriminator
from rarl.runtime import parallel
from rarl.train.adam import adam


class DiscriminatorTrainer:
    """A discriminator and its optimiser (Esser et al. 2021, arXiv 2012.09841)."""

    def __init__(self, settings: Adversarial, device: torch.device) -> None:
        self.settings = settings
        made = Discriminator(settings.hidden_units, settings.max_units, settings.layers)
        self.discriminator = made.to(device)
        # The betas of Esser et al.'s program: little momentum, as the other side moves, too.
        self.optimiser = adam(made.parameters(), settings.learning_rate, (0.5, 0.9))

    def add_to(
        self,
        loss: Float[Tensor, ""],
        reconstructions: Float[Tensor, "b 3 height width"],
        last_layer: nn.Parameter,
    ) -> dict[str, Tensor]:
        """What the VQ-VAE lowers: `loss` and, weighted, -E[D(reconstruction)].

        The weight is by the gradients of the whole batch, not of a process's share. The
        discriminator gets no gradient.
        """
        self.discriminator.requires_grad_(False)
        adversarial = -self.discriminator(reconstructions).mean()
        self.discriminator.requires_grad_(True)
        adaptive = adaptive_weight(_of_batch(loss, last_layer), _of_batch(adversarial, last_layer))
        total = loss + self.settings.weight * adaptive * adversarial
        return {"loss": total, "adversarial": adversarial, "adaptive_weight": adaptive}

    def update(
        self,
        images: Float[Tensor, "b 3 height width"],
        reconstructions: Float[Tensor, "b 3 height width"],
    ) -> Float[Tensor, ""]:
        """One step of the discriminator on a process's share; its loss before."""
        loss = hinge(self.discriminator(images), self.discriminator(reconstructions.detach()))
        self.optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(self.discriminator.parameters())
        self.optimiser.step()
        return loss.detach()

    def state_dict(self) -> dict[str, Any]:
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimiser.load_state_dict(state["optimiser"])


def _of_batch(loss: Float[Tensor, ""], weights: nn.Parameter) -> Tensor:
    """The gradient of the mean of a loss over all processes."""
    (gradient,) = torch.autograd.grad(loss, weights, retain_graph=True)
    return parallel.gather(gradient.unsqueeze(0)).mean(0)
