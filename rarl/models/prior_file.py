"""The prior as an artefact. It says the kind of each level's prior."""

from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter

from rarl.config import Prior
from rarl.models.level_prior import LevelPrior, build
from rarl.models.prior import CodePrior
from rarl.models.serialization import fill, of_this_version, open_artefact
from rarl.runtime.artefact import save

FIRST_KIND = {"kind": "pixelcnn"}  # of files from before they said it


def save_prior(path: Path, model: CodePrior, metadata: dict[str, Any]) -> None:
    priors = {
        str(level): {
            "settings": prior.settings.model_dump(),
            "side": prior.side,
            "codebook_size": prior.codebook_size,
        }
        for level, prior in model.levels.items()
    }
    save(path, model.state_dict(), {"priors": priors, **metadata})


def load_prior(*paths: Path, device: torch.device) -> CodePrior:
    """The levels of all files in one prior, in evaluation mode.

    Raises `UserError` when a file is something else.
    """
    levels: dict[int, LevelPrior] = {}
    for path in paths:
        artefact = open_artefact(path, "priors")
        with of_this_version(path):
            part = CodePrior(
                {
                    int(level): build(
                        TypeAdapter(Prior).validate_python(FIRST_KIND | of["settings"]),
                        of["side"],
                        of["codebook_size"],
                        conditional=level != "0",
                    )
                    for level, of in artefact.metadata["priors"].items()
                }
            )
        levels |= fill(part, artefact, path, device).levels
    return CodePrior(levels).eval()
