"""What every prior of one level of codes is, whatever its architecture.

A module in `rarl.kinds.PRIORS` has `build(settings, side, codebook_size, conditional)`, which gives
a `LevelPrior`. One in `rarl.kinds.SAMPLERS` has `sampler(prior, choose, batch, recorded=...)`,
which gives a `Sampler`. They are two, so that another way to sample trains nothing again.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from jaxtyping import Float, Int
from torch import Tensor, nn

from rarl import kinds
from rarl.config import Prior

ALL_ROWS = slice(None)


class Choose(Protocol):
    def __call__(
        self, logits: Float[Tensor, "b k"], numbers: Float[Tensor, " b"]
    ) -> Int[Tensor, " b"]:
        """A code for each image, decided by its number in [0, 1)."""
        ...


class Sampler(Protocol):
    """The state of sampling batches of one size, row by row, with its cache; without gradients."""

    codes: Int[Tensor, "b h w"]  # of which the rows so far are done

    def begin(
        self,
        given: Int[Tensor, "b rows w"],
        above: Int[Tensor, "b h2 w2"] | None,
        *,
        until: int,
    ) -> None:
        """A batch below the rows of codes that are given, if any, with the weights of now.

        `above` is the next coarser level, for a conditional prior. Rows from `until` on will not be
        sampled.
        """
        ...

    def draw_row(self, numbers: Float[Tensor, "b w"]) -> None:
        """Samples the next row, each code decided by its number in [0, 1)."""
        ...


class LevelPrior(nn.Module, ABC):
    """p(codes of a level), or p(codes of a level | the next coarser level) when `conditional`."""

    settings: Prior
    side: int  # rows, and columns
    codebook_size: int
    last_layer: ClassVar[str]  # what makes the logits; it stays in float32

    @abstractmethod
    def features(
        self,
        codes: Int[Tensor, "b h w"],
        above: Int[Tensor, "b h2 w2"] | None = None,
        rows: slice = ALL_ROWS,
    ) -> Float[Tensor, "b rows w c"]:
        """What `classify` makes the logits of the codes in `rows` of, given those before each."""

    @abstractmethod
    def classify(self, features: Float[Tensor, "... c"]) -> Float[Tensor, "... k"]:
        """The logits of every code of the codebook."""

    @abstractmethod
    def scale_logits(self, temperature: float) -> None:
        """Folds a temperature into the weights: sampled at 1, it gives what it gave at it."""

    def forward(
        self,
        codes: Int[Tensor, "b h w"],
        above: Int[Tensor, "b h2 w2"] | None = None,
        rows: slice = ALL_ROWS,
    ) -> Float[Tensor, "b rows w k"]:
        """Logits of the codes in `rows`, each given those before it in raster order.

        `above` is the next coarser level, for a conditional prior and for no other.
        """
        return self.classify(self.features(codes, above, rows))

    def sampler(self, choose: Choose, batch: int, *, recorded: bool = False) -> Sampler:
        """For batches of so many images. `recorded`: that a row may be replayed on a GPU."""
        module = kinds.load(kinds.SAMPLERS, self.settings.kind)
        found: Sampler = module.sampler(self, choose, batch, recorded=recorded)
        return found


def build(
    settings: Prior, side: int, codebook_size: int, *, conditional: bool = False
) -> LevelPrior:
    """An untrained prior of the kind that the settings choose."""
    module = kinds.load(kinds.PRIORS, settings.kind)
    found: LevelPrior = module.build(settings, side, codebook_size, conditional=conditional)
    return found
