"""The critic on pixels. Of the oracle experiment, which decodes nothing, it sees one-hot codes."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import PixelCritic as PixelSettings
from rarl.config.pixel_critic import geometry
from rarl.models.position_norm import PositionNorm
from rarl.models.scores import Scores
from rarl.rl.critics.network import Answer, CriticNetwork, Seen
from rarl.runtime.precision import forward_fp32


class PixelCritic(CriticNetwork):
    """Strided convolutions down to `final_size`, then a linear score of the whole image.

    With `map_size`, a PatchGAN (Isola et al. 2017, arXiv 1611.07004) branches off where the
    features have that width: a score for each of its cells, which sees a patch of the image.
    Layer normalisation, not batch normalisation: the gradient penalty is a property of single
    images (Gulrajani et al. 2017, arXiv 1704.00028, section 4). Before the patches' scores it is
    that of single positions.
    """

    betas: ClassVar[tuple[float, float]] = (0.0, 0.9)  # Gulrajani et al. 2017, algorithm 1

    def __init__(self, settings: PixelSettings, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.settings, self.shape = settings, (channels, height, width)
        of = geometry(settings, height, width)
        stride, hidden = settings.stem_stride, settings.hidden_units
        kernel, padding = (2 * stride, stride // 2) if stride > 1 else (3, 1)
        stages = [nn.Conv2d(channels, hidden, kernel, stride, padding), nn.LeakyReLU(0.2)]
        patch_stages: list[nn.Module] = []
        for stage in of.stages:
            if stage.scored:
                patch_stages, stages = stages, []
                self.patch_score = nn.Conv2d(hidden, 1, 1)
            norm = PositionNorm(stage.units) if stage.local else nn.GroupNorm(1, stage.units)
            stages += [nn.Conv2d(hidden, stage.units, 4, 2, 1), norm, nn.LeakyReLU(0.2)]
            hidden = stage.units
        self.stem = nn.Sequential(*patch_stages) if patch_stages else None
        self.features = nn.Sequential(*stages)
        self.score = nn.Linear(of.units * of.height * of.width, 1)

    def see(self, images: Float[Tensor, "b c height width"]) -> Seen:
        return (images,)

    def answer(self, seen: Seen) -> Answer:
        (images,) = seen
        patches = None
        if self.stem is not None:
            images = self.stem(images)
            patches = forward_fp32(self.patch_score, images).squeeze(1)
        whole = forward_fp32(self.score, self.features(images).flatten(1)).squeeze(1)
        return Answer((whole,) if patches is None else (whole, patches), Scores(whole, patches))


build = PixelCritic
