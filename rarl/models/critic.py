"""The critic: an image to scores. Higher means more like a reconstruction of a real picture.

Of the oracle experiment, which decodes nothing, it sees the codes, one-hot.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import Critic as CriticSettings
from rarl.models.scores import Scores
from rarl.runtime.precision import forward_fp32


class PositionNorm(nn.LayerNorm):
    """Normalises the channels of each position by themselves: nothing else is seen through it."""

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Critic(nn.Module):
    """Strided convolutions down to `final_size`, then a linear score of the whole picture.

    With `map_size`, a PatchGAN (Isola et al. 2017, arXiv 1611.07004) branches off where the
    features have that width: a score for each of its cells, which sees a patch of the picture.
    Layer normalisation, not batch normalisation: the gradient penalty is a property of single
    pictures (Gulrajani et al. 2017, arXiv 1704.00028, section 4). Before the patches' scores it is
    that of single positions.
    """

    def __init__(self, settings: CriticSettings, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.settings, self.shape = settings, (channels, height, width)
        stride, hidden = settings.stem_stride, settings.hidden_units
        size = torch.Size((height // stride, width // stride))
        kernel, padding = (2 * stride, stride // 2) if stride > 1 else (3, 1)
        stages = [nn.Conv2d(channels, hidden, kernel, stride, padding), nn.LeakyReLU(0.2)]
        patch_stages: list[nn.Module] = []
        while size[1] > settings.final_size:
            if size[1] == settings.map_size:
                patch_stages, stages = stages, []
                self.patch_score = nn.Conv2d(hidden, 1, 1)
            out = min(2 * hidden, settings.max_units)
            local = size[1] > settings.map_size > 0  # the patches are still to be scored
            norm = PositionNorm(out) if local else nn.GroupNorm(1, out)
            stages += [nn.Conv2d(hidden, out, 4, 2, 1), norm, nn.LeakyReLU(0.2)]
            hidden, size = out, torch.Size(side // 2 for side in size)
        self.stem = nn.Sequential(*patch_stages) if patch_stages else None
        self.features = nn.Sequential(*stages)
        self.score = nn.Linear(hidden * size.numel(), 1)

    def forward(self, images: Float[Tensor, "b c height width"]) -> Scores:
        """Scores of images in [-1, 1], or of whatever else the critic sees."""
        patches = None
        if self.stem is not None:
            images = self.stem(images)
            patches = forward_fp32(self.patch_score, images).squeeze(1)
        whole = forward_fp32(self.score, self.features(images).flatten(1)).squeeze(1)
        return Scores(whole, patches)
