"""The prior over all levels of an image: p(codes) is the product of p(level | next coarser)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import Experiment, Prior
from rarl.models.codes import Codes
from rarl.models.level_prior import ALL_ROWS, LevelPrior, build


class CodePrior(nn.Module):
    """One prior for each level, coarse to fine.

    It may hold some levels only, as while they are trained one by one; then it says nothing about
    the others. Levels are numbered from 0, the coarsest.
    """

    def __init__(self, priors: Mapping[int, LevelPrior]) -> None:
        super().__init__()
        self.priors = nn.ModuleDict({str(level): priors[level] for level in sorted(priors)})

    @property
    def levels(self) -> dict[int, LevelPrior]:
        return {int(level): cast(LevelPrior, prior) for level, prior in self.priors.items()}

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def codebook_size(self) -> int:
        return next(iter(self.levels.values())).codebook_size

    @property
    def sides(self) -> list[int]:
        """Rows, and columns, of each level."""
        return [prior.side for prior in self.levels.values()]

    @property
    def positions(self) -> list[int]:
        """Codes in each level."""
        return [side**2 for side in self.sides]

    def forward(
        self, codes: Codes, rows: Sequence[slice] | None = None
    ) -> tuple[Float[Tensor, "b h w k"], ...]:
        """Logits of each level that it holds, given the codes before; of some `rows` only."""
        features = self.features(codes, rows)
        return tuple(
            prior.classify(of_level)
            for prior, of_level in zip(self.levels.values(), features, strict=True)
        )

    def features(
        self, codes: Codes, rows: Sequence[slice] | None = None
    ) -> tuple[Float[Tensor, "b h w c"], ...]:
        """As `forward`, what each level's last layer, `classify`, makes logits of."""
        return tuple(
            prior.features(
                codes[level],
                codes[level - 1] if level else None,
                rows[level] if rows else ALL_ROWS,
            )
            for level, prior in self.levels.items()
        )

    def scale_logits(self, temperature: float) -> None:
        """Folds a temperature into the weights: sampled at 1, it gives what it gave at it."""
        for prior in self.levels.values():
            prior.scale_logits(temperature)

    def own(self, codes: Codes) -> Codes:
        """The levels that it holds, of all levels of some images."""
        return tuple(codes[level] for level in self.levels)


def stack(settings: Iterable[Prior], sides: Iterable[int], codebook_size: int) -> CodePrior:
    """Untrained priors of all levels, coarse to fine."""
    return CodePrior(
        {
            level: build(of, side, codebook_size, conditional=level > 0)
            for level, (of, side) in enumerate(zip(settings, sides, strict=True))
        }
    )


def new_prior(of: Experiment) -> CodePrior:
    """The untrained priors of an experiment."""
    return stack(map(of.prior.of, of.grids), of.latents, of.vqvae.codebook_size)
