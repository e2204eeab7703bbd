"""What is benchmarked: the paper's experiment of 128x128 images, or the same at toy sizes."""

from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import nn

from rarl.config import Config, Experiment, load
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior, new_prior
from rarl.runtime import device

PAPER = Path(__file__).parents[2] / "config" / "paper.yaml"
EXPERIMENT = "celeba-128-16-32"  # Table 8, and the first column of Table 11
BATCH = 16  # images, as in Table 11

BOTTOM = {"batch_size": 4, "attention_layers": 0, "output_stack_layers": 0}
TOY = {
    "image_size": 32,
    "latents": (4, 8),
    "vqvae": {
        **{"hidden_units": 8, "residual_units": 4, "codebook_size": 16, "codebook_dim": 4},
        "batch_size": 4,
    },
    "prior": {
        **{"hidden_units": 16, "residual_units": 8, "layers": 3, "attention_layers": 1},
        **{"attention_heads": 2, "output_stack_layers": 1, "conditioning_stack_layers": 1},
        **{"batch_size": 4, "bottom": BOTTOM},
    },
    "rl": {
        "batch_size": 4,
        "rewards": {
            "critic": {"pixel": {"hidden_units": 4, "max_units": 8, "batch_size": 4}},
        },
    },
}


def config(*, small: bool) -> Config:
    """With the one experiment."""
    full = load(PAPER)
    of = full.experiments[EXPERIMENT]
    return with_experiment(full, _changed(of, TOY) if small else of)


def with_experiment(full: Config, of: Experiment) -> Config:
    return full.model_copy(update={"experiments": {EXPERIMENT: of}})


def changed(full: Config, changes: Mapping[str, Any]) -> Config:
    """With other values of some keys of the experiment."""
    return with_experiment(full, _changed(full.experiments[EXPERIMENT], changes))


def _changed(of: Any, changes: Mapping[str, Any]) -> Any:
    def one(model: BaseModel, change: tuple[str, Any]) -> BaseModel:
        key, value = change
        if isinstance(getattr(model, key), BaseModel):
            value = _changed(getattr(model, key), value)
        return model.model_copy(update={key: value})

    return reduce(one, changes.items(), of)


def prior(of: Experiment) -> CodePrior:
    """Untrained, but with random weights where training starts from zeros, so that all count."""
    torch.manual_seed(0)
    made = new_prior(of).to(device.pick()).eval()
    with torch.no_grad():
        for weights in made.parameters():
            if not weights.any():
                nn.init.normal_(weights, std=0.02)
    return made


def codes(of: Experiment, batch: int) -> Codes:
    size = of.vqvae.codebook_size
    return tuple(torch.randint(size, (batch, n, n), device=device.pick()) for n in of.latents)
