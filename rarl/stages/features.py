"""Stage `features`: sampled codes to the features of their images."""

from pathlib import Path

import torch

from rarl.config.stages.features import FeaturesSettings
from rarl.metrics import feature_files
from rarl.metrics.extractor import features
from rarl.metrics.extractors import load_extractor
from rarl.models.codes import load_draw
from rarl.models.decoding import decode
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device, provenance

Settings = FeaturesSettings


def run(settings: FeaturesSettings, *, vqvae: Path, samples: Path, output: Path) -> None:
    """Decode samples and compute their features."""
    on = device.pick()
    extractor, drawn = load_extractor(settings.extractor, on), load_draw(samples)
    images = decode(load_vqvae(vqvae, on), drawn.content, settings.batch_size, "features")
    found = torch.cat(list(features(extractor, images)))
    of = provenance.describe("features", settings, vqvae=vqvae, samples=samples)
    piece = {"seed": drawn.seed, "first": drawn.first}
    feature_files.save(output, found, {**extractor.protocol, **piece, **of})
