"""Rejection keeps what the critic prefers, and nothing else changes."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from helpers.small_jobs import DRAWING
from rarl.config import Vqvae
from rarl.config.stages.evaluate import RejectSettings
from rarl.models.prior import CodePrior
from rarl.models.scores import Scores
from rarl.models.vqvae import VQVAE
from rarl.rl.rejection import draw_best
from rarl.sampling import draw


class Brightness(nn.Module):
    def forward(self, images: Tensor) -> Scores:
        return Scores(images.mean((1, 2, 3)), None)


def test_the_best_of_each_batch_are_kept_in_order(
    make_code_prior: Callable[..., CodePrior], vqvae_settings: Vqvae
):
    prior, vqvae = make_code_prior(2, 4), VQVAE(vqvae_settings, 2)
    vqvae.train()(torch.rand(4, 3, 16, 16))
    vqvae.eval()
    of = DRAWING.model_copy(update={"first": 0, "count": 6, "batch_size": 4})
    kept = list(
        draw_best(
            prior, vqvae, Brightness(), RejectSettings(sample=of, draws=3, network="pixel"), 0
        )
    )
    batches = list(draw(prior, 3, 18, 12, temperature=1.0, top_k=0))
    assert [len(codes[0]) for codes in kept] == [4, 2]
    for codes, among in zip(kept, batches, strict=True):
        with torch.no_grad():
            scores = vqvae.decode(among).mean((1, 2, 3))
        best = sorted(scores.argsort(descending=True)[: len(codes[0])].tolist())
        for mine, theirs in zip(codes, among, strict=True):
            assert torch.equal(mine, theirs[best])
