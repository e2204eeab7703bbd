"""The critic: an image to one score. Higher means more like a reconstruction of a real picture."""

from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import Critic as CriticSettings


class Critic(nn.Module):
    """Strided convolutions down to `final_size`, then a linear score.

    Layer normalisation, not batch normalisation: the gradient penalty is a property of single
    pictures (Gulrajani et al. 2017, arXiv 1704.00028, section 4).
    """

    def __init__(self, settings: CriticSettings, image_size: int) -> None:
        super().__init__()
        stride, width = settings.stem_stride, settings.hidden_units
        size = image_size // stride
        stages = [nn.Conv2d(3, width, 2 * stride, stride, stride // 2), nn.LeakyReLU(0.2)]
        while size > settings.final_size:
            out = min(2 * width, settings.max_units)
            stages += [nn.Conv2d(width, out, 4, 2, 1), nn.GroupNorm(1, out), nn.LeakyReLU(0.2)]
            width, size = out, size // 2
        self.features = nn.Sequential(*stages)
        self.score = nn.Linear(width * size * size, 1)

    def forward(self, images: Float[Tensor, "b 3 height width"]) -> Float[Tensor, " b"]:
        """Scores of images in [-1, 1]; unbounded, in the critic's own unit."""
        return self.score(self.features(images).flatten(1)).squeeze(1)
