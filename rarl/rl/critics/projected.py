"""A critic of small heads on the maps of a frozen network (Sauer et al. 2021, arXiv 2111.01007).

No gradient passes through the network. Of the paper's projections across channels and across scales
it has the first. What each head scores are the patches of its 4x4 map.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from rarl.config import ProjectedCritic as ProjectedSettings
from rarl.models.scores import Scores
from rarl.rl.critics.frozen_maps import FrozenMaps
from rarl.rl.critics.network import Answer, CriticNetwork, Seen
from rarl.runtime.precision import forward_fp32

SIDE = 4  # of the maps of scores
GROUP = 8  # channels that are normalised together


class Head(nn.Sequential):
    """A (B, C, side, side) map to the scores of 4x4 patches, (B, 1, 4, 4).

    Spectral normalisation bounds its slope (Miyato et al. 2018, arXiv 1802.05957).
    """

    def __init__(self, channels: int, side: int) -> None:
        stages: list[nn.Module] = []
        while side > SIDE:
            convolution = nn.Conv2d(channels, channels, 4, 2, 1)
            norm = nn.GroupNorm(channels // GROUP, channels)
            stages += [spectral_norm(convolution), norm, nn.LeakyReLU(0.2)]
            side //= 2
        super().__init__(*stages, spectral_norm(nn.Conv2d(channels, 1, 3, padding=1)))


class ProjectedCritic(CriticNetwork):
    """The score of an image is the mean of its patches' scores, which are means over the heads."""

    betas: ClassVar[tuple[float, float]] = (0.0, 0.99)  # of the paper's program

    def __init__(self, settings: ProjectedSettings, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.settings, self.shape = settings, (channels, height, width)
        self._maps = FrozenMaps(settings.extractor, settings.weights, settings.blocks)
        shapes = self._maps.shapes()
        for i, (found, _) in enumerate(shapes):  # fixed, and kept beside the weights
            projection = torch.randn(settings.channels, found, 1, 1) * found**-0.5
            self.register_buffer(f"projection_{i}", projection)
        self.heads = nn.ModuleList(Head(settings.channels, side) for _, side in shapes)

    @torch.no_grad()
    def see(self, images: Float[Tensor, "b c height width"]) -> Seen:
        """The projected maps, fine to coarse."""
        maps = self._maps(images)
        buffers = [self.get_buffer(f"projection_{i}") for i in range(len(maps))]
        return tuple(
            nn.functional.conv2d(x, projection) for x, projection in zip(maps, buffers, strict=True)
        )

    def answer(self, seen: Seen) -> Answer:
        logits = tuple(
            forward_fp32(head, x).squeeze(1) for head, x in zip(self.heads, seen, strict=True)
        )
        patches = torch.stack(logits).mean(0)  # (B, 4, 4)
        return Answer(logits, Scores(patches.mean((1, 2)), patches))


build = ProjectedCritic
