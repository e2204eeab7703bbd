"""Stage `reference_images`: training images to the moments of their features."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rarl.config.stages.features import ReferenceSettings
from rarl.data.batches import consecutive
from rarl.data.loaders import load_pixels
from rarl.data.shards import PackedImages, open_split
from rarl.metrics.extractor import extract
from rarl.metrics.extractors import load_extractor
from rarl.models.real_images import reference_images
from rarl.runtime import device, provenance
from rarl.runtime.progress import track

Settings = ReferenceSettings


def run(settings: ReferenceSettings, *, data: Path, output: Path) -> None:
    """Compute the moments of the real images' features."""
    extractor = load_extractor(settings.extractor, device.pick())
    train = open_split(data, "train")
    kept = reference_images(train.ranks, settings.held_out)
    images = _pixels(train, kept, settings.batch_size)
    of = provenance.describe("reference_images", settings, data=data)
    metadata = {**extractor.protocol, "reference": "images", **of}
    extract(extractor, images).save(output, metadata)


def _pixels(images: PackedImages, kept: NDArray[np.int64], batch_size: int) -> Iterator[Tensor]:
    """(B, 3, H, W) uint8; `kept`: which images."""
    batches = consecutive(len(kept), batch_size)
    for indices in track(batches, len(batches), "reference", "batch"):
        yield load_pixels(images, torch.from_numpy(kept)[indices])
