"""What all artefacts with a model share: what is beside the weights builds the model again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from pydantic import ValidationError
from torch import nn

from rarl.runtime.artefact import Artefact, load
from rarl.runtime.errors import UserError

Model = TypeVar("Model", bound=nn.Module)


def open_artefact(path: Path, key: str) -> Artefact:
    """Reads an artefact. Raises `UserError` when its metadata lack `key`: it is something else."""
    artefact = load(path)
    if key not in artefact.metadata:
        raise UserError(f"{path}: holds no '{key}'; it was written by another stage")
    return artefact


@contextmanager
def of_this_version(path: Path) -> Iterator[None]:
    """Raises `UserError` when the settings in the metadata are not those of this version."""
    try:
        yield
    except (ValidationError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: was written by another version of rarl: {reason}") from None


def fill(model: Model, artefact: Artefact, path: Path, device: torch.device) -> Model:
    """Loads the weights; the model is then on `device` and in evaluation mode.

    Raises `UserError` when they do not fit.
    """
    try:
        model.load_state_dict(artefact.tensors)
    except RuntimeError as error:
        raise UserError(f"{path}: weights do not fit: {' '.join(str(error).split())}") from None
    return model.to(device).eval()
