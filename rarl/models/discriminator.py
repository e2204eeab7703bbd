"""The discriminator of a VQ-VAE: an image to scores of its patches. Higher: more like an image."""

from jaxtyping import Float
from torch import Tensor, nn

from rarl.models.position_norm import PositionNorm
from rarl.runtime.precision import forward_fp32


class Discriminator(nn.Module):
    """The PatchGAN of Isola et al. 2017 (arXiv 1611.07004): stride-2 convolutions, then two more.

    It normalises the channels of each position by themselves. Batch normalisation would make a
    score depend on the other images, and on the number of processes that share them.
    """

    def __init__(self, hidden_units: int, max_units: int, layers: int) -> None:
        super().__init__()
        width = hidden_units
        stages: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for stage in range(1, layers + 1):
            out, stride = min(2 * width, max_units), 2 if stage < layers else 1
            stages += [nn.Conv2d(width, out, 4, stride, 1), PositionNorm(out), nn.LeakyReLU(0.2)]
            width = out
        self.features = nn.Sequential(*stages)
        self.score = nn.Conv2d(width, 1, 4, 1, 1)

    def forward(self, images: Float[Tensor, "b 3 height width"]) -> Float[Tensor, "b h w"]:
        """Scores of images in [-1, 1]; h is height / 2**layers - 2."""
        return forward_fp32(self.score, self.features(images)).squeeze(1)
