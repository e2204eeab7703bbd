"""rarl: Reinforced Adversarial Learning for autoregressive image generation."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rarl.generator import Generator


def load(name: str | Path) -> "Generator":
    """Opens a folder that `rarl export` wrote, or a pretrained model by its name.

    See `rarl.generator.Generator`. Raises `rarl.runtime.errors.UserError` when there is no model.
    """
    from rarl import model_folder  # noqa: PLC0415 - imports torch

    return model_folder.load(name)
