"""The critic as an artefact."""

from pathlib import Path
from typing import Any

import torch

from rarl.config import Critic as CriticSettings
from rarl.models.critic import Critic
from rarl.models.serialization import fill, of_this_version, open_artefact
from rarl.runtime.artefact import save


def save_critic(path: Path, model: Critic, metadata: dict[str, Any]) -> None:
    made_by = {"critic": model.settings.model_dump(), "shape": model.shape}
    save(path, model.state_dict(), {**made_by, **metadata})


def load_critic(path: Path, device: torch.device) -> Critic:
    """In evaluation mode. Raises `UserError` when the file is something else."""
    artefact = open_artefact(path, "critic")
    with of_this_version(path):
        model = Critic(CriticSettings(**artefact.metadata["critic"]), *artefact.metadata["shape"])
    return fill(model, artefact, path, device)
