"""A user's own reward: a function of images, from a file beside the configuration."""

import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rarl.config import Python as PythonSettings
from rarl.data.pixels import to_pixels
from rarl.models.scores import Scores
from rarl.rl.rewards.inputs import RewardInputs
from rarl.rl.rollouts import Rollouts
from rarl.runtime.errors import UserError


class PythonReward:
    """Scores by a function that learns nothing."""

    warmup_steps, warmup_batch = 0, 0

    def __init__(self, function: Callable[[Tensor], Any], name: str) -> None:
        """`name` says in errors which function it is."""
        self.function, self.name = function, name

    @torch.no_grad()
    def score(self, images: Float[Tensor, "b 3 height width"]) -> Scores:
        """Raises `UserError` for anything but one finite number an image."""
        try:
            found = self.function(to_pixels(images))
            scores = torch.as_tensor(found, dtype=torch.float32, device=images.device)
        except Exception as error:  # whatever the user's code raises
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise UserError(f"{self.name} failed: {reason}") from error
        if scores.shape != (len(images),):
            raise UserError(
                f"{self.name} gave scores of shape {tuple(scores.shape)} for {len(images)} images; "
                f"it must give ({len(images)},)"
            )
        if not scores.isfinite().all():
            at = int((~scores.isfinite()).nonzero()[0])
            raise UserError(
                f"{self.name} gave {scores[at]:g} for image {at}; scores must be finite"
            )
        return Scores(scores, None)

    def warm_up(self, rollouts: Rollouts) -> None:
        """There is nothing to learn."""

    def learn(self, rollouts: Rollouts) -> dict[str, Tensor]:  # noqa: ARG002
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """There is nothing to load."""


def build(settings: PythonSettings, inputs: RewardInputs) -> PythonReward:
    """Raises `UserError` for a file that cannot be run, has changed, or lacks the function."""
    path = Path(settings.file)
    if hashlib.sha256(path.read_bytes()).hexdigest() != inputs.source_sha256:
        raise UserError(f"{path}: has changed since it was planned; start Snakemake again")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path}: is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's code raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{path}: cannot be run: {reason}") from error
    function = getattr(module, settings.function, None)
    if not callable(function):
        known = ", ".join(name for name, of in vars(module).items() if callable(of))
        raise UserError(f"{path}: has no function {settings.function} (known: {known})")
    return PythonReward(function, f"{path}: {settings.function}()")
