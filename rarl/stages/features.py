"""Stage `features`: sampled codes to the moments of their pictures' features."""

from pathlib import Path

from rarl.metrics.extractor import extract
from rarl.metrics.extractors import load_extractor
from rarl.models.saved import load_draw, load_vqvae
from rarl.runtime import device, provenance
from rarl.stage_settings import FeaturesSettings
from rarl.stages._decoding import decode

Settings = FeaturesSettings


def run(settings: FeaturesSettings, *, vqvae: Path, samples: Path, output: Path) -> None:
    """Decode samples and compute the moments of their features."""
    on = device.pick()
    extractor = load_extractor(settings.extractor, on)
    codes, seed = load_draw(samples)
    pictures = decode(load_vqvae(vqvae, on), codes, settings.batch_size, "features")
    of = provenance.describe("features", settings, vqvae=vqvae, samples=samples)
    extract(extractor, pictures).save(output, {**extractor.protocol, "seed": seed, **of})
