"""How many parameters the models of a configuration have, without making their weights."""

from typing import NamedTuple

import torch
from torch import nn

from rarl.config import Config, Experiment
from rarl.models.critic import Critic
from rarl.models.pixelcnn import PixelCNN
from rarl.models.vqvae import VQVAE


class Sizes(NamedTuple):
    """Trained parameters of the models of one experiment; the codebook counts."""

    vqvae: int
    prior: int
    critic: int


def sizes(experiment: Experiment) -> Sizes:
    with torch.device("meta"):
        vqvae = VQVAE(experiment.vqvae)
        prior = PixelCNN(experiment.prior, experiment.latents[0], experiment.vqvae.codebook_size)
        critic = Critic(experiment.rl.critic, experiment.image_size)
    return Sizes(_count(vqvae) + vqvae.quantizer.codebook.numel(), _count(prior), _count(critic))


def table(config: Config) -> str:
    """A line of counts for each experiment."""
    rows = {name: sizes(experiment) for name, experiment in config.experiments.items()}
    width = max(map(len, (*rows, "experiment")))
    lines = [f"{'experiment':{width}} {'VQ-VAE':>12} {'prior':>13} {'critic':>12}"]
    lines += [f"{name:{width}} {a:12,} {b:13,} {c:12,}" for name, (a, b, c) in rows.items()]
    return "\n".join(lines)


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
