"""Stage `reference`: the training pictures to the moments that samples are compared with."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from rarl.data.shards import Pictures, open_split
from rarl.metrics.extractor import extract
from rarl.metrics.extractors import load_extractor
from rarl.models.saved import load_codes, load_vqvae
from rarl.plan import ReferenceSettings
from rarl.runtime import device, provenance
from rarl.runtime.progress import track
from rarl.stages._decoding import decode
from rarl.train.batches import consecutive
from rarl.train.vqvae import load_pixels

Settings = ReferenceSettings


def run(settings: ReferenceSettings, *, data: Path, vqvae: Path, codes: Path, output: Path) -> None:
    """Compute the moments of the training pictures' features, real or reconstructed."""
    on, batch = device.pick(), settings.batch_size
    extractor = load_extractor(settings.extractor, on)
    if settings.reference == "images":
        pictures = _pixels(open_split(data, "train"), batch)
    else:
        train = load_codes(codes)["train"]
        pictures = decode(load_vqvae(vqvae, on), train, batch, "reference")
    of = provenance.describe("reference", settings, data=data, vqvae=vqvae, codes=codes)
    metadata = {**extractor.protocol, "reference": settings.reference, **of}
    extract(extractor, pictures).save(output, metadata)


def _pixels(pictures: Pictures, batch_size: int) -> Iterator[Tensor]:
    """(B, 3, H, W) uint8."""
    batches = consecutive(len(pictures), batch_size)
    for indices in track(batches, len(batches), "reference", "batch"):
        yield load_pixels(pictures, indices)
