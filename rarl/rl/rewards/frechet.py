"""A reward beyond the paper: what an image takes off the distance of all rollouts to the data.

Baran et al. 2026 (arXiv 2603.23086) reward by a leave-one-out distance with diagonal covariances;
this one has whole covariances, its limit for many rollouts in closed form, and shares of places.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rarl.config import Frechet as FrechetSettings
from rarl.config.stages.features import ExtractorSettings
from rarl.data.pixels import to_pixels
from rarl.metrics import moments
from rarl.metrics.extractor import Extractor, pool
from rarl.metrics.extractors import load_extractor
from rarl.metrics.frechet import Gaussian
from rarl.metrics.influence import Influence, Reference
from rarl.models.scores import Scores
from rarl.rl.rewards.inputs import RewardInputs
from rarl.rl.rollouts import Rollouts
from rarl.runtime import parallel
from rarl.runtime.errors import UserError


class FrechetReward:
    """Minus an image's influence on the Frechet distance of the rollouts to the reference.

    The rollouts' moments are those of an exponential window over the latest `window` images. A
    batch is rewarded before it counts among them. So policy gradients with this reward descend the
    distance itself, diversity included, and there is nothing to train.
    """

    def __init__(
        self,
        settings: FrechetSettings,
        extractor: Extractor,
        reference: Gaussian,
        warmup_batch: int,
    ) -> None:
        self.settings, self.extractor = settings, extractor
        self.warmup_steps, self.warmup_batch = settings.warmup_steps, warmup_batch
        self._reference = Reference(reference, extractor.device)
        self._count, self._rewards = 0, 0
        self._mean = torch.zeros(extractor.dimension, dtype=torch.float64).to(extractor.device)
        self._square = torch.outer(self._mean, self._mean)  # mean of x x'
        self._influence: Influence | None = None
        self._seen: tuple[Tensor, Tensor] | None = None  # images and their features

    def score(self, images: Float[Tensor, "b 3 height width"]) -> Scores:
        """Of an image, and of the places of the extractor's map, whose mean it is."""
        if self._influence is None or self._rewards % self.settings.refresh_every == 0:
            self._influence = Influence.of(self._mean, self._covariance(), self._reference)
        self._rewards += 1
        maps = self.extractor.maps(to_pixels(images))  # (B, d, h, w)
        self._seen = images, pool(maps)
        places = -self._influence.places(maps.flatten(2)).float().unflatten(1, maps.shape[2:])
        return Scores(places.mean((1, 2)), places)

    def warm_up(self, rollouts: Rollouts) -> None:
        self.learn(rollouts)

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:
        """Takes the images, of this process's share, into the window."""
        if self._seen is None or self._seen[0] is not rollouts.images:
            features = self.extractor(to_pixels(rollouts.images))
        else:
            features = self._seen[1]
        rows = parallel.gather(features).double()  # (B, d)
        self._count, self._seen = self._count + len(rows), None
        weight = len(rows) / min(self._count, max(self.settings.window, len(rows)))
        self._mean = self._mean.lerp(rows.mean(0), weight)
        self._square = self._square.lerp(rows.T @ rows / len(rows), weight)
        return {} if self._influence is None else {"window_distance": self._influence.distance}

    def state_dict(self) -> dict[str, Any]:
        influence = None if self._influence is None else vars(self._influence)
        return {
            "count": self._count,
            "rewards": self._rewards,
            "mean": self._mean,
            "square": self._square,
            "influence": influence,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        on = self.extractor.device
        self._count, self._rewards = state["count"], state["rewards"]
        self._mean, self._square = state["mean"].to(on), state["square"].to(on)
        if state["influence"] is not None:
            parts = {name: tensor.to(on) for name, tensor in state["influence"].items()}
            self._influence = Influence(**parts)

    def _covariance(self) -> Tensor:
        """Of the window, with a share of the mean variance added in every direction.

        Without it directions that few images have shown would outweigh all others.
        """
        covariance = self._square - torch.outer(self._mean, self._mean)
        ridge = self.settings.ridge * covariance.trace() / len(covariance)
        return covariance + ridge * torch.eye(len(covariance)).to(covariance)


def build(settings: FrechetSettings, inputs: RewardInputs) -> FrechetReward:
    """The reward of an RL run. Raises `UserError` without the moments to which it is a distance."""
    if inputs.reference is None:
        raise UserError("the reward is a distance, but --reward-reference names no file")
    extractor = load_extractor(ExtractorSettings.of(settings), inputs.device)
    return FrechetReward(settings, extractor, moments.load(inputs.reference), inputs.batch_size)
