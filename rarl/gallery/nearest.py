"""Which training images a sample is nearest to, and how near held-out images come."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float32, Int, UInt8
from torch import Tensor

from rarl.data.batches import consecutive
from rarl.data.loaders import load_pixels
from rarl.data.shards import PackedImages
from rarl.metrics.extractor import Extractor, features

BATCH = 64  # images
NEAR = 0.05  # quantile of the held-out images' distances below which a sample counts as near


@dataclass(frozen=True)
class TrainingImages:
    """Training images with their features, and the distances of held-out images to them."""

    pixels: UInt8[Tensor, "m 3 h w"]
    features: Float32[Tensor, "m d"]
    total: int  # images in the training split, of which `pixels` are evenly spaced ones
    held_out: Float[Tensor, " v"]  # distance of each validation image to its nearest one

    @property
    def near(self) -> float:
        """The distance below which `NEAR` of the held-out images are."""
        return float(self.held_out.quantile(NEAR))

    @property
    def median(self) -> float:
        """The distance below which half of the held-out images are."""
        return float(self.held_out.median())


def training_images(
    extractor: Extractor, train: PackedImages, val: PackedImages, most: int
) -> TrainingImages:
    """Of both splits at most `most` images, evenly spaced."""
    pixels, held_out = _spread(train, most), _spread(val, most)
    of_train, of_val = (
        torch.cat(list(features(extractor, images.split(BATCH)))) for images in (pixels, held_out)
    )
    distances, _ = nearest(of_val, of_train, 1)
    return TrainingImages(pixels, of_train, len(train), distances[:, 0])


def nearest(
    queries: Float[Tensor, "n d"], among: Float[Tensor, "m d"], count: int
) -> tuple[Float[Tensor, "n k"], Int[Tensor, "n k"]]:
    """Euclidean distances and indices of the `count` nearest rows of `among`, nearest first.

    k is `count`, or m where there are fewer rows.
    """
    blocks = [torch.cdist(block, among) for block in queries.split(BATCH)]  # (b, m) each
    found = [block.topk(min(count, len(among)), largest=False, sorted=True) for block in blocks]
    return torch.cat([of.values for of in found]), torch.cat([of.indices for of in found])


def _spread(images: PackedImages, most: int) -> UInt8[Tensor, "n 3 h w"]:
    count = min(most, len(images))
    wanted = torch.linspace(0, len(images) - 1, count).round().long()
    return torch.cat([load_pixels(images, wanted[of]) for of in consecutive(count, BATCH)])
