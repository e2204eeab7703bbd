"""The prior as an artefact."""

from pathlib import Path
from typing import Any

import torch

from rarl.config import Prior
from rarl.models.pixelcnn import PixelCNN
from rarl.models.prior import CodePrior
from rarl.models.serialization import fill, of_this_version, open_artefact
from rarl.runtime.artefact import save


def save_prior(path: Path, model: CodePrior, metadata: dict[str, Any]) -> None:
    priors = {
        str(grid): {
            "settings": prior.settings.model_dump(),
            "side": prior.side,
            "codebook_size": prior.codebook_size,
        }
        for grid, prior in model.grids.items()
    }
    save(path, model.state_dict(), {"priors": priors, **metadata})


def load_prior(*paths: Path, device: torch.device) -> CodePrior:
    """The grids of all files in one prior, in evaluation mode.

    Raises `UserError` when a file is something else.
    """
    grids: dict[int, PixelCNN] = {}
    for path in paths:
        artefact = open_artefact(path, "priors")
        with of_this_version(path):
            part = CodePrior(
                {
                    int(grid): PixelCNN(
                        Prior(**of["settings"]),
                        of["side"],
                        of["codebook_size"],
                        conditional=grid != "0",
                    )
                    for grid, of in artefact.metadata["priors"].items()
                }
            )
        grids |= fill(part, artefact, path, device).grids
    return CodePrior(grids).eval()
