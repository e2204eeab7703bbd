"""The VQ-VAE as an artefact."""

from pathlib import Path
from typing import Any

import torch

from rarl.config import Vqvae
from rarl.models.serialization import fill, of_this_version, open_artefact
from rarl.models.vqvae import VQVAE
from rarl.runtime.artefact import save


def save_vqvae(path: Path, model: VQVAE, metadata: dict[str, Any]) -> None:
    made_by = {"vqvae": model.settings.model_dump(), "grids": model.grids}
    save(path, model.state_dict(), {**made_by, **metadata})


def load_vqvae(path: Path, device: torch.device) -> VQVAE:
    """In evaluation mode and frozen. Raises `UserError` when the file is something else."""
    artefact = open_artefact(path, "vqvae")
    with of_this_version(path):
        model = VQVAE(Vqvae(**artefact.metadata["vqvae"]), artefact.metadata["grids"])
    return fill(model, artefact, path, device).requires_grad_(False)
