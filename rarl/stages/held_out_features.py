"""Stage `held_out_features`: features of real images, which stand beside samples in the tables."""

from pathlib import Path

import torch

from rarl.config.stages.features import HeldOutFeaturesSettings
from rarl.metrics import feature_files
from rarl.metrics.extractor import features
from rarl.metrics.extractors import load_extractor
from rarl.metrics.neighbours import spread
from rarl.models.codes import CodeSet
from rarl.models.decoding import decode
from rarl.models.real_images import real_images
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device, provenance

Settings = HeldOutFeaturesSettings


def run(settings: HeldOutFeaturesSettings, *, vqvae: Path, codes: Path, output: Path) -> None:
    """Compute the features of reconstructions that the reference leaves out, evenly spaced."""
    on = device.pick()
    extractor = load_extractor(settings.extractor, on)
    left_out = real_images(codes, settings.held_out).held_out
    count = min(settings.count, len(left_out))
    chosen = CodeSet(
        tuple(spread(level, count) for level in left_out.grids), left_out.codebook_size
    )
    images = decode(load_vqvae(vqvae, on), chosen, settings.batch_size, "real images")
    found = torch.cat(list(features(extractor, images)))
    made = provenance.describe("held_out_features", settings, vqvae=vqvae, codes=codes)
    piece = {"seed": None, "first": 0}  # as of samples, but of no sampling seed
    feature_files.save(output, found, {**extractor.protocol, **piece, **made})
