"""Rejection sampling: keep the samples that a critic trusts (Razavi et al. 2019, VQ-VAE-2)."""

from collections.abc import Iterator

import torch

from rarl.config.stages.evaluate import RejectSettings
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior
from rarl.models.vqvae import VQVAE
from rarl.rl.critics.network import CriticNetwork
from rarl.sampling import draw


@torch.no_grad()
def draw_best(
    prior: CodePrior, vqvae: VQVAE, critic: CriticNetwork, settings: RejectSettings, first: int
) -> Iterator[Codes]:
    """The best of `draws` times as many images, batch by batch; each keeps one in `draws`.

    Begins behind the batches of which the `first` images were kept. The best of each batch, and
    not of groups of `draws`: nearer to a threshold of the score.
    """
    of = settings.sample
    batches = draw(
        prior,
        of.seed,
        (of.first + of.count) * settings.draws,
        of.batch_size * settings.draws,
        temperature=of.temperature,
        top_k=of.top_k,
        first=first * settings.draws,
    )
    for codes in batches:
        scores = critic(vqvae.decode(codes)).whole
        best = scores.topk(len(scores) // settings.draws).indices.sort().values
        yield tuple(level[best] for level in codes)
