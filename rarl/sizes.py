"""How many parameters the models of a configuration have, without making their weights."""

from typing import NamedTuple

import torch
from torch import nn

from rarl.config import Config, Experiment
from rarl.models.level_prior import build
from rarl.models.onehot import OneHot
from rarl.models.prior import new_prior
from rarl.models.vqvae import VQVAE
from rarl.rl.critics.pixel import PixelCritic


class Sizes(NamedTuple):
    """Trained parameters of the models of one experiment; the codebooks count."""

    vqvae: int  # of an oracle experiment: that of the experiment whose codes it learns
    priors: tuple[int, ...]  # level by level, coarse to fine; an oracle's after the generator's
    critic: int  # on pixels or codes; 0 where the configuration has none


def sizes(experiment: Experiment) -> Sizes:
    size, oracle = experiment.vqvae.codebook_size, experiment.oracle
    with torch.device("meta"):
        vqvae = VQVAE(experiment.vqvae, len(experiment.latents))
        priors = list(new_prior(experiment).levels.values())
        if oracle is not None:
            settings = experiment.prior.overlaid(oracle.prior, "oracle.prior")
            priors.append(build(settings, experiment.latents[0], size))
        seen: VQVAE | OneHot = vqvae if oracle is None else OneHot(size)
        rows = experiment.rl.part.rows(experiment.latents)[-1]
        shown = seen.channels, seen.scale * rows, seen.scale * experiment.latents[-1]
        of_critic = experiment.rl.rewards.critic.pixel
        critic = 0 if of_critic is None else _count(PixelCritic(of_critic, *shown))
    codebooks = size * experiment.vqvae.codebook_dim * vqvae.grids
    return Sizes(_count(vqvae) + codebooks, tuple(map(_count, priors)), critic)


def table(config: Config) -> str:
    """A line of counts for each experiment."""
    rows = {name: sizes(experiment) for name, experiment in config.experiments.items()}
    width = max(map(len, (*rows, "experiment")))
    lines = [f"{'experiment':{width}} {'VQ-VAE':>12} {'critic':>12}  priors, coarse to fine"]
    for name, (vqvae, priors, critic) in rows.items():
        counts = " + ".join(f"{count:,}" for count in priors)
        lines.append(f"{name:{width}} {vqvae:12,} {critic:12,}  {counts}")
    return "\n".join(lines)


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
