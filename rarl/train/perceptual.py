"""The perceptual loss of a VQ-VAE: distances of a frozen network's features."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rarl.config import Perceptual
from rarl.losses import feature_distance
from rarl.metrics.efficientnet import load_network
from rarl.runtime.precision import upcast

STAGES = (0, 1, 2, 4, 6)  # the last ones at 1/2, 1/4, ... 1/32 of the image's side


class PerceptualLoss:
    """Esser et al. 2021 (arXiv 2012.09841), with EfficientNet-Lite in the place of VGG.

    The network sees the images at their own size. The loss has no unit; it is from 0 to 4.
    """

    def __init__(self, settings: Perceptual, device: torch.device) -> None:
        self.weight = settings.weight
        self._network: Any = load_network(settings.extractor, settings.weights, device)

    def __call__(
        self,
        images: Float[Tensor, "b 3 height width"],
        reconstructions: Float[Tensor, "b 3 height width"],
    ) -> Float[Tensor, ""]:
        """Of images in [-1, 1]; its gradient goes to the second alone."""
        with torch.no_grad():
            wanted = self.maps(images)
        return feature_distance(wanted, self.maps(reconstructions))

    def maps(self, images: Float[Tensor, "b 3 height width"]) -> list[Tensor]:
        """Features (B, c, h, w) after each of `STAGES`, in float32."""
        x = self._network.bn1(self._network.conv_stem(images))
        found = []
        for stage in self._network.blocks:
            x = stage(x)
            found.append(x)
        return [upcast(found[i]) for i in STAGES]
