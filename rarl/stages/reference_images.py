"""Stage `reference_images`: training pictures to the moments of their features."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from rarl.config.stages.features import FeaturesSettings
from rarl.data.batches import consecutive
from rarl.data.loaders import load_pixels
from rarl.data.shards import Pictures, open_split
from rarl.metrics.extractor import extract
from rarl.metrics.extractors import load_extractor
from rarl.runtime import device, provenance
from rarl.runtime.progress import track

Settings = FeaturesSettings


def run(settings: FeaturesSettings, *, data: Path, output: Path) -> None:
    """Compute the moments of the real pictures' features."""
    extractor = load_extractor(settings.extractor, device.pick())
    pictures = _pixels(open_split(data, "train"), settings.batch_size)
    of = provenance.describe("reference_images", settings, data=data)
    metadata = {**extractor.protocol, "reference": "images", **of}
    extract(extractor, pictures).save(output, metadata)


def _pixels(pictures: Pictures, batch_size: int) -> Iterator[Tensor]:
    """(B, 3, H, W) uint8."""
    batches = consecutive(len(pictures), batch_size)
    for indices in track(batches, len(batches), "reference", "batch"):
        yield load_pixels(pictures, indices)
