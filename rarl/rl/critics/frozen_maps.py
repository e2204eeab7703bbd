"""Maps of a frozen network at several scales: what the projected critic sees first."""

from typing import Any

import timm
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from rarl.data.pixels import to_pixels
from rarl.metrics.efficientnet import SIZE, load_network, prepare
from rarl.metrics.extractor import CPU_BATCH


class FrozenMaps:
    """Images in [-1, 1] to (B, c, h, w) float32 maps after some blocks of an EfficientNet-Lite.

    The network sees images of 128x128, as an extractor does. Its weights are read at the first use.
    """

    def __init__(self, name: str, weights: str | None, blocks: tuple[int, ...]) -> None:
        """`blocks` are numbered from 1, ascending."""
        self.name, self.weights, self.blocks = name, weights, blocks
        self._network: Any = None

    def shapes(self) -> list[tuple[int, int]]:
        """Channels and side of each map, without any weights."""
        with torch.device("meta"):
            network = timm.create_model(f"tf_{self.name}", num_classes=0)
            maps = self._maps(network, torch.zeros(1, 3, SIZE, SIZE))
        return [(x.shape[1], x.shape[2]) for x in maps]

    @torch.no_grad()
    def __call__(
        self, images: Float[Tensor, "b 3 height width"]
    ) -> list[Float32[Tensor, "b c h w"]]:
        """Carries no gradient. A CPU takes few images at once: more leave its caches."""
        if self._network is None:
            self._network = load_network(self.name, self.weights, images.device)
        count = len(images) if images.is_cuda else CPU_BATCH
        with torch.autocast(images.device.type, enabled=False):
            parts = [
                self._maps(self._network, prepare(to_pixels(part))) for part in images.split(count)
            ]
        return [torch.cat(maps).contiguous() for maps in zip(*parts, strict=True)]

    def _maps(self, network: Any, x: Tensor) -> list[Tensor]:
        x, maps = network.bn1(network.conv_stem(x)), []
        for number, block in enumerate(network.blocks[: self.blocks[-1]], 1):
            x = block(x)
            if number in self.blocks:
                maps.append(x)
        return maps
