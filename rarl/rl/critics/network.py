"""What every critic network is: it sees an image, and answers with scores.

Higher scores are more like reconstructions of real images. What it sees, pixels or frozen features,
takes no part in its training; its gradient penalties are taken there.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rarl import kinds
from rarl.config import Critic
from rarl.models.scores import Scores

Seen = tuple[Tensor, ...]  # of (B, ...) each


class Answer(NamedTuple):
    logits: tuple[Tensor, ...]  # (B,) of images or (B, h, w) of patches: the loss is of each
    scores: Scores  # the reward

    @property
    def total(self) -> Float[Tensor, " b"]:
        """One number an image, for the gradient penalties."""
        return torch.stack([x if x.ndim == 1 else x.mean((1, 2)) for x in self.logits]).sum(0)


class CriticNetwork(nn.Module, ABC):
    """A module in `rarl.kinds.CRITICS` has `build(settings, channels, height, width)`."""

    settings: Critic
    shape: tuple[int, int, int]  # channels, height and width of the images
    betas: ClassVar[tuple[float, float]]  # of Adam

    @abstractmethod
    def see(self, images: Float[Tensor, "b c height width"]) -> Seen:
        """Of images in [-1, 1], or of one-hot codes."""

    @abstractmethod
    def answer(self, seen: Seen) -> Answer:
        """The logits of the loss, and the scores."""

    def forward(self, images: Float[Tensor, "b c height width"]) -> Scores:
        """The scores of images."""
        return self.answer(self.see(images)).scores


def build(settings: Critic, channels: int, height: int, width: int) -> CriticNetwork:
    """An untrained critic of the network that the settings choose."""
    module = kinds.load(kinds.CRITICS, settings.network)
    found: CriticNetwork = module.build(settings, channels, height, width)
    return found
