"""A reward beyond the paper: what a picture takes off the distance of all rollouts to the data."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rarl.config import Frechet as FrechetSettings
from rarl.config import Rl
from rarl.config.stages.train import FinetuneSettings
from rarl.data.pixels import to_pixels
from rarl.metrics.extractor import Extractor, pool
from rarl.metrics.frechet import Gaussian
from rarl.metrics.influence import Influence, Reference
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.rl.rollouts import Rollouts
from rarl.runtime import parallel


class FrechetReward:
    """Minus a picture's influence on the Frechet distance of the rollouts to the reference.

    The rollouts' moments are those of an exponential window over the latest `window` pictures. A
    batch is rewarded before it counts among them. So policy gradients with this reward descend the
    distance itself, diversity included, and there is nothing to train.
    """

    steps = 1

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
        self._seen: tuple[Tensor, Tensor] | None = None  # pictures and their features

    def reward(self, images: Float[Tensor, "b 3 height width"]) -> Scores:
        """Of a picture, and of the places of the extractor's map, whose mean it is."""
        if self._influence is None or self._rewards % self.settings.refresh_every == 0:
            self._influence = Influence.of(self._mean, self._covariance(), self._reference)
        self._rewards += 1
        maps = self.extractor.maps(to_pixels(images))  # (B, d, h, w)
        self._seen = images, pool(maps)
        places = -self._influence.places(maps.flatten(2)).float().unflatten(1, maps.shape[2:])
        return Scores(places.mean((1, 2)), places)

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:
        """Takes the pictures, of this process's share, into the window."""
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

        Without it directions that few pictures have shown would outweigh all others.
        """
        covariance = self._square - torch.outer(self._mean, self._mean)
        ridge = self.settings.ridge * covariance.trace() / len(covariance)
        return covariance + ridge * torch.eye(len(covariance)).to(covariance)


def start(
    _settings: FinetuneSettings,
    rl: Rl,
    _prior: CodePrior,
    _decoder: Decoder,
    distance: tuple[Extractor, Gaussian] | None,
) -> FrechetReward:
    """The reward of an RL run by its distance."""
    assert isinstance(rl.reward, FrechetSettings)  # of this kind
    assert distance is not None
    return FrechetReward(rl.reward, *distance, rl.batch_size)
