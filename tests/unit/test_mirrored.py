"""Mirrored images, in the VQ-VAE's training and in the codes. Oracle: reversed columns."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from rarl.config import Vqvae
from rarl.config.stages.train import VqvaeSettings
from rarl.data.pixels import to_unit
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.train_log import TrainLog
from rarl.stages import codes
from rarl.train import vqvae

IMAGES = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
MIRRORED = np.ascontiguousarray(IMAGES[:, :, ::-1])  # (B, H, W, 3)


class Images:
    def __len__(self) -> int:
        return len(IMAGES)

    def take(self, indices: np.ndarray) -> np.ndarray:
        return IMAGES[indices]


def as_tensor(pixels: np.ndarray) -> Tensor:
    return to_unit(torch.from_numpy(pixels).permute(0, 3, 1, 2))


def test_the_vqvae_trains_on_images_of_which_some_are_mirrored(
    tmp_path: Path, vqvae_settings: Vqvae, monkeypatch: pytest.MonkeyPatch
):
    seen: list[Tensor] = []
    loss = vqvae.vqvae_loss

    def noting(images: Tensor, *others: object) -> dict[str, Tensor]:
        if torch.is_grad_enabled():  # not in an evaluation
            seen.extend(images)
        return loss(images, *others)

    monkeypatch.setattr(vqvae, "vqvae_loss", noting)
    settings = VqvaeSettings(
        precision="float32", seed=0, latents=(4,), vqvae=vqvae_settings, limits={}
    )
    vqvae.train_vqvae(
        settings,
        Images(),
        Images(),
        device=torch.device("cpu"),
        log=TrainLog(tmp_path / "log.jsonl"),
        checkpoints=Checkpoints(tmp_path / "out", {}),
    )
    plain, mirrored = as_tensor(IMAGES), as_tensor(MIRRORED)
    kinds = [
        ((image == plain).flatten(1).all(1).any(), (image == mirrored).flatten(1).all(1).any())
        for image in seen
    ]
    assert len(seen) == vqvae_settings.steps * vqvae_settings.batch_size
    assert all(as_it_is != turned for as_it_is, turned in kinds)
    assert 0 < sum(bool(turned) for _, turned in kinds) < len(seen)


@pytest.mark.parametrize("mirrored", [False, True])
def test_all_images_are_encoded_as_they_are_or_mirrored(mirrored: bool):
    seen: list[Tensor] = []

    def encode(batch: Tensor) -> tuple[Tensor]:
        seen.append(batch)
        return (torch.zeros(len(batch), 1, 1, dtype=torch.int64),)

    model = SimpleNamespace(
        encode=encode, device=torch.device("cpu"), settings=SimpleNamespace(codebook_size=2)
    )
    codes._encode(model, Images(), 3, mirrored=mirrored)
    expected = as_tensor(MIRRORED if mirrored else IMAGES)
    assert torch.equal(torch.cat(seen), expected)
