"""Stage `real_features`: features of reconstructions, with which samples are compared."""

from pathlib import Path

import torch

from rarl.config.stages.features import RealFeaturesSettings
from rarl.metrics import feature_files
from rarl.metrics.extractor import features
from rarl.metrics.extractors import load_extractor
from rarl.metrics.neighbours import spread
from rarl.models.codes import CodeSet
from rarl.models.decoding import decode
from rarl.models.real_images import reference_codes
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device, provenance

Settings = RealFeaturesSettings


def run(settings: RealFeaturesSettings, *, vqvae: Path, codes: Path, output: Path) -> None:
    """Compute the features of reconstructions of the reference, evenly spaced."""
    on = device.pick()
    extractor, train = (
        load_extractor(settings.extractor, on),
        reference_codes(codes, settings.held_out),
    )
    count = min(settings.count, len(train))
    chosen = CodeSet(tuple(spread(grid, count) for grid in train.grids), train.codebook_size)
    images = decode(load_vqvae(vqvae, on), chosen, settings.batch_size, "reconstructions")
    found = torch.cat(list(features(extractor, images)))
    of = provenance.describe("real_features", settings, vqvae=vqvae, codes=codes)
    feature_files.save(output, found, {**extractor.protocol, **of})
