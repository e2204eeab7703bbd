"""What every feature extractor is: a frozen network and the protocol that its figures state."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

from rarl.metrics.moments import Moments

CPU_BATCH = 16  # images that a CPU computes at once: the activations of more leave its caches


@dataclass(frozen=True)
class Extractor:
    """A network from images to features, and all that decides the number it gives."""

    name: str  # as in the configuration
    label: str  # of a distance on these features, wherever it is shown
    dimension: int
    weights_sha256: str  # of the file of weights
    resize: str  # how images reach the size that the network sees
    device: torch.device
    network: Callable[[Tensor], Tensor]  # (B, 3, H, W) uint8 to (B, d, h, w), before the pooling

    @property
    def protocol(self) -> dict[str, str | int]:
        """What must be equal on both sides of a distance; goes into its JSON."""
        return {
            "extractor": self.name,
            "label": self.label,
            "dimension": self.dimension,
            "weights_sha256": self.weights_sha256,
            "resize": self.resize,
        }

    def __call__(
        self, images: UInt8[Tensor, "batch 3 height width"]
    ) -> Float32[Tensor, "batch dimension"]:
        """The features: the mean of `maps`."""
        return pool(self.maps(images))

    def maps(
        self, images: UInt8[Tensor, "batch 3 height width"]
    ) -> Float32[Tensor, "batch dimension h w"]:
        """What the features are the mean of, place by place, on the extractor's device.

        In full float32 whatever precision is set outside. A CPU takes `CPU_BATCH` images at once,
        however many are given; a GPU takes all.

        Raises `ValueError` for images that are not uint8 RGB.
        """
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(
                f"images are {images.dtype} {tuple(images.shape)}, expected uint8 (B, 3, H, W)"
            )
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=False),
            # Turns TF32 off for convolutions; for matrix products torch has it off by default.
            torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
        ):
            if self.device.type != "cpu" or len(images) <= CPU_BATCH:
                return self.network(images.to(self.device))
            return torch.cat([self.network(part.cpu()) for part in images.split(CPU_BATCH)])


def pool(maps: Float32[Tensor, "batch dimension h w"]) -> Float32[Tensor, "batch dimension"]:
    """The mean over all places: the last pooling of every network here."""
    return F.adaptive_avg_pool2d(maps, 1).flatten(1)


def features(
    extractor: Extractor, batches: Iterable[UInt8[Tensor, "batch 3 height width"]]
) -> Iterator[Float32[Tensor, "batch dimension"]]:
    """Features batch by batch, on the CPU; `torch.cat(list(...))` keeps them all."""
    for images in batches:
        yield extractor(images).cpu()


def extract(
    extractor: Extractor, batches: Iterable[UInt8[Tensor, "batch 3 height width"]]
) -> Moments:
    """Moments of the features of all images."""
    moments = Moments(extractor.dimension)
    for block in features(extractor, batches):
        moments.update(block)
    return moments
