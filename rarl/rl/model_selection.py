"""Model selection: the metric by which fine-tuning keeps a checkpoint, of one held-out sample.

The random numbers are the same at every check, for every method, and used for nothing else.
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
from rarl.models.decoder import Decoder
from rarl.models.prior import CodePrior
from rarl.runtime import precision, seeds
from rarl.sampling import draw


class ModelSelection(Protocol):
    metric: ClassVar[str]  # its name in the log; the lowest value wins

    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float: ...


@dataclass(frozen=True)
class DistanceSelection:
    """Frechet distance of decoded samples to the reference."""

    decoder: Decoder
    extractor: Extractor
    reference: Gaussian
    metric: ClassVar[str] = "distance"

    @torch.no_grad()
    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        moments = Moments(self.extractor.dimension)
        for codes in held_out(prior, settings):
            moments.update(self.extractor(to_pixels(self.decoder.decode(codes))))
        return frechet_distance(moments, self.reference)


@dataclass(frozen=True)
class OracleSelection:
    """KL(generator || oracle), nats a code, by the samples.

    The oracle's NLL less the generator's own: by the first alone the narrowest generator would win.
    """

    oracle: CodePrior
    metric: ClassVar[str] = "kl_oracle"

    @torch.no_grad()
    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        total = 0.0
        for codes in held_out(prior, settings):
            difference = nll(self.oracle(codes), codes) - nll(prior(codes), codes)
            total += float(difference) * len(codes[0])
        return total / settings.rl.evaluate_samples


def held_out(prior: CodePrior, settings: FinetuneSettings) -> list[Codes]:
    """`evaluate_samples` fixed samples, in batches."""
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
