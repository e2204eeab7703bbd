"""Stage `codes`: images to grids of codes."""

from pathlib import Path

import torch
from torchvision.transforms.v2.functional import horizontal_flip

from rarl.config.stages.data import CodesSettings
from rarl.data.batches import consecutive
from rarl.data.loaders import load_images
from rarl.data.shards import PackedImages, open_split
from rarl.models.codes import CodeSet, gather, save_codes
from rarl.models.vqvae import VQVAE
from rarl.models.vqvae_file import load_vqvae
from rarl.runtime import device, provenance
from rarl.runtime.progress import track

Settings = CodesSettings


def run(settings: CodesSettings, *, data: Path, vqvae: Path, output: Path) -> None:
    """Encode every image, and with `flip` every mirrored training image, to codes."""
    model = load_vqvae(vqvae, device.pick())
    train, val = open_split(data, "train"), open_split(data, "val")
    sets = {
        "train": _encode(model, train, settings.batch_size, mirrored=False),
        "val": _encode(model, val, settings.batch_size, mirrored=False),
    }
    if settings.flip:
        sets["train_mirrored"] = _encode(model, train, settings.batch_size, mirrored=True)
    metadata = provenance.describe("codes", settings, data=data, vqvae=vqvae)
    save_codes(output, sets, metadata, torch.tensor(train.ranks))


@torch.inference_mode()
def _encode(model: VQVAE, split: PackedImages, batch_size: int, *, mirrored: bool) -> CodeSet:
    batches = consecutive(len(split), batch_size)
    shown = track(batches, len(batches), "codes", "batch")
    images = (load_images(split, indices, model.device) for indices in shown)
    codes = (model.encode(horizontal_flip(batch) if mirrored else batch) for batch in images)
    return gather(codes, model.settings.codebook_size)
