"""The prior over all grids of a picture: p(codes) is the product of p(grid | next coarser grid)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rarl.config import Experiment, Prior
from rarl.models.codes import Codes
from rarl.models.pixelcnn import ALL_ROWS, PixelCNN


class CodePrior(nn.Module):
    """One PixelCNN for each grid, coarse to fine.

    It may hold some grids only, as while they are trained one by one; then it says nothing about
    the others. Grids are numbered from 0, the coarsest.
    """

    def __init__(self, priors: Mapping[int, PixelCNN]) -> None:
        super().__init__()
        self.priors = nn.ModuleDict({str(grid): priors[grid] for grid in sorted(priors)})

    @property
    def grids(self) -> dict[int, PixelCNN]:
        return {int(grid): cast(PixelCNN, prior) for grid, prior in self.priors.items()}

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def codebook_size(self) -> int:
        return next(iter(self.grids.values())).codebook_size

    @property
    def sides(self) -> list[int]:
        """Rows, and columns, of each grid."""
        return [prior.side for prior in self.grids.values()]

    @property
    def positions(self) -> list[int]:
        """Codes in each grid."""
        return [side**2 for side in self.sides]

    def forward(
        self, codes: Codes, rows: Sequence[slice] | None = None
    ) -> tuple[Float[Tensor, "b h w k"], ...]:
        """Logits of each grid that it holds, given the codes before; of the grids' `rows` only."""
        features = self.features(codes, rows)
        return tuple(
            prior.classify(of_grid)
            for prior, of_grid in zip(self.grids.values(), features, strict=True)
        )

    def features(
        self, codes: Codes, rows: Sequence[slice] | None = None
    ) -> tuple[Float[Tensor, "b h w c"], ...]:
        """As `forward`, what each grid's last layer, `classify`, makes logits of."""
        return tuple(
            prior.features(
                codes[grid], codes[grid - 1] if grid else None, rows[grid] if rows else ALL_ROWS
            )
            for grid, prior in self.grids.items()
        )

    def own(self, codes: Codes) -> Codes:
        """The grids that it holds, of all grids of some pictures."""
        return tuple(codes[grid] for grid in self.grids)


def stack(settings: Iterable[Prior], sides: Iterable[int], codebook_size: int) -> CodePrior:
    """Untrained priors of all grids, coarse to fine."""
    return CodePrior(
        {
            grid: PixelCNN(of, side, codebook_size, conditional=grid > 0)
            for grid, (of, side) in enumerate(zip(settings, sides, strict=True))
        }
    )


def new_prior(of: Experiment) -> CodePrior:
    """The untrained priors of an experiment."""
    return stack(map(of.prior.of, of.grids), of.latents, of.vqvae.codebook_size)
