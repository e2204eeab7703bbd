"""rarl: Reinforced Adversarial Learning for autoregressive image generation."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rarl.generator import Generator


def load(folder: str | Path) -> "Generator":
    """Opens a bundle that `rarl export` wrote; see `rarl.generator.Generator`."""
    from rarl.generator import load as open_bundle  # noqa: PLC0415 - imports torch

    return open_bundle(folder)
