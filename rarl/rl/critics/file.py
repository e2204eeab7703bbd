"""The critic as an artefact."""

from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from rarl.config import Critic
from rarl.models.serialization import fill, of_this_version, open_artefact
from rarl.rl.critics.network import CriticNetwork, build
from rarl.runtime.artefact import save


def save_critic(path: Path, model: CriticNetwork, metadata: dict[str, Any]) -> None:
    made_by = {"critic": model.settings.model_dump(), "shape": model.shape}
    save(path, model.state_dict(), {**made_by, **metadata})


def load_critic(path: Path, device: torch.device) -> CriticNetwork:
    """In evaluation mode. Raises `UserError` when the file is something else."""
    artefact = open_artefact(path, "critic")
    with of_this_version(path):
        values = {"network": "pixel"} | artefact.metadata["critic"]  # the only one at first
        settings: Critic = TypeAdapter(Critic).validate_python(values, strict=False)
        model = build(settings, *artefact.metadata["shape"])
    return fill(model, artefact, path, device)
