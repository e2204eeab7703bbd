"""Stage `reference`: reconstructions to the moments that samples are compared with."""

from pathlib import Path

from rarl.config.stages.features import ReferenceSettings
from rarl.metrics.extractor import extract
from rarl.metrics.extractors import load_extractor
from rarl.models.decoding import decode
from rarl.models.real_images import reference_codes
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device, provenance

Settings = ReferenceSettings


def run(settings: ReferenceSettings, *, vqvae: Path, codes: Path, output: Path) -> None:
    """Compute the moments of the features of training images' reconstructions."""
    on = device.pick()
    extractor = load_extractor(settings.extractor, on)
    train = reference_codes(codes, settings.held_out)
    images = decode(load_vqvae(vqvae, on), train, settings.batch_size, "reference")
    of = provenance.describe("reference", settings, vqvae=vqvae, codes=codes)
    metadata = {**extractor.protocol, "reference": "reconstructions", **of}
    extract(extractor, images).save(output, metadata)
