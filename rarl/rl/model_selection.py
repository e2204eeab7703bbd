"""What fine-tuning's checkpoints are judged by: figures of one held-out draw.

The draw's random numbers are the same at every check, for every method, and used for nothing else.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch

from rarl.config.stages.train import FinetuneSettings
from rarl.data.pixels import to_pixels
from rarl.losses import nll
from rarl.metrics.extractor import Extractor
from rarl.metrics.frechet import Gaussian, frechet_distance
from rarl.metrics.moments import Moments
from rarl.models.codes import Codes
from rarl.models.prior import CodePrior
from rarl.models.vqvae import VQVAE
from rarl.runtime import precision, seeds
from rarl.sampling import draw


class Judge(Protocol):
    criterion: ClassVar[str]  # the figure that picks the checkpoint: the lowest wins

    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float: ...


@dataclass(frozen=True)
class DistanceSelection:
    """Frechet distance of the decoded draw to the reference."""

    vqvae: VQVAE
    extractor: Extractor
    reference: Gaussian
    criterion: ClassVar[str] = "distance"

    @torch.no_grad()
    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        moments = Moments(self.extractor.dimension)
        for codes in held_out(prior, settings):
            moments.update(self.extractor(to_pixels(self.vqvae.decode(codes))))
        return frechet_distance(moments, self.reference)


@dataclass(frozen=True)
class OracleSelection:
    """KL(generator || oracle), nats a code, by the draw.

    The oracle's NLL less the generator's own: by the first alone the narrowest generator would win.
    """

    oracle: CodePrior
    criterion: ClassVar[str] = "kl_oracle"

    @torch.no_grad()
    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        total = 0.0
        for codes in held_out(prior, settings):
            difference = nll(self.oracle(codes), codes) - nll(prior(codes), codes)
            total += float(difference) * len(codes[0])
        return total / settings.rl.evaluate_samples


def held_out(prior: CodePrior, settings: FinetuneSettings) -> list[Codes]:
    """`evaluate_samples` fixed draws, in batches."""
    batches = draw(
        prior,
        seeds.derive(settings.seed, "held-out draw"),
        settings.rl.evaluate_samples,
        settings.rl.batch_size,
        temperature=settings.temperature,
        top_k=settings.top_k,
    )
    with precision.autocast(settings.precision):
        return list(batches)
