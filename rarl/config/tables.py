"""The tables and figures that a configuration asks for, by kind."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from rarl.config.errors import require
from rarl.config.fields import Count, CountOrZero, Real, Settings
from rarl.config.models import Prior

Columns = Annotated[dict[str, str], Field(min_length=1)]  # experiment: heading
Rows = Annotated[tuple[str, ...], Field(min_length=1)]  # methods
Figures = tuple[Real | None, ...]  # of the paper, in column order
PRIORS_SHOWN = ("prior", "top prior", "bottom prior", "oracle", "generator")  # in architectures


def _require_widths(paper: dict[str, Figures], columns: dict[str, str]) -> None:
    for row, figures in paper.items():
        if len(figures) != len(columns):
            where = f"paper.{row}" if row else "paper"
            raise ValueError(f"{where}: has {len(figures)} figures for {len(columns)} columns")


class _ByMethod(Settings):
    """Rows are methods, columns experiments."""

    title: str
    columns: Columns
    paper: dict[str, Figures]  # the paper's figures of a row

    @model_validator(mode="after")
    def _paper_fits(self) -> Self:
        _require_widths(self.paper, self.columns)
        return self


class DistanceTable(_ByMethod):
    """Cells are Frechet distances of samples to the reference (paper's Tables 1 to 3)."""

    kind: Literal["distance"]
    rows: Rows


class SecondsTable(_ByMethod):
    """Cells are seconds to draw a batch of rollouts (paper's Table 11). Needs no training."""

    kind: Literal["seconds"]
    rows: Annotated[dict[str, str], Field(min_length=1)]  # method: label
    batch_size: Count


class ReconstructionTable(Settings):
    """One row: Frechet distances of reconstructions to the real pictures (paper's Table 12)."""

    kind: Literal["reconstruction"]
    title: str
    columns: Columns
    paper: Figures

    @model_validator(mode="after")
    def _paper_fits(self) -> Self:
        _require_widths({"": self.paper}, self.columns)
        return self


class ArchitectureTable(Settings):
    """The settings of one experiment's models (paper's Tables 4 to 10)."""

    kind: Literal["architecture"]
    title: str
    experiment: str
    ours: dict[str, tuple[str, ...]]  # by model: settings that the paper does not give; marked

    @field_validator("ours")
    @classmethod
    def _exist(cls, ours: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for model, settings in ours.items():
            require(model, PRIORS_SHOWN, "ours", "prior")
            for name in settings:
                require(name, Prior.model_fields, f"ours.{model}", "setting of a prior")
        return ours


class QualityTable(Settings):
    """Rows are methods of one experiment, columns distance, precision, recall, KID, seconds."""

    kind: Literal["quality"]
    title: str
    experiment: str
    rows: Rows


class NllTable(Settings):
    """Rows are methods of an oracle experiment, columns NLL_oracle and NLL_test."""

    kind: Literal["nll"]
    title: str
    experiment: str
    rows: Rows


class ReplicatedTable(Settings):
    """Methods, the first of them the one to beat, over several training seeds of each experiment.

    With every seed all models of the experiment are trained anew, from the VQ-VAE on.
    """

    kind: Literal["replicated"]
    title: str
    training_seeds: Annotated[tuple[CountOrZero, ...], Field(min_length=2)]
    columns: Columns
    rows: Annotated[tuple[str, ...], Field(min_length=2)]

    @field_validator("training_seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"{list(seeds)} holds one twice")
        return seeds


class SamplesFigure(Settings):
    """Samples: a strip for each experiment and, within it, a block for each method."""

    kind: Literal["samples"]
    title: str
    columns: Columns
    rows: Rows


class TimeFigure(Settings):
    """Held-out distance against training time, methods together."""

    kind: Literal["time"]
    title: str
    experiment: str
    rows: Rows


Figure = Annotated[SamplesFigure | TimeFigure, Field(discriminator="kind")]
Table = Annotated[
    DistanceTable
    | SecondsTable
    | ReconstructionTable
    | ArchitectureTable
    | QualityTable
    | NllTable
    | ReplicatedTable,
    Field(discriminator="kind"),
]


def experiments_of(shown: Table | Figure) -> tuple[str, ...]:
    match shown:
        case ArchitectureTable() | QualityTable() | NllTable() | TimeFigure():
            return (shown.experiment,)
        case _:
            return tuple(shown.columns)


def paper_rows(table: Table) -> tuple[str, ...]:
    """Rows for which the paper's figures are given."""
    return tuple(table.paper) if isinstance(table, _ByMethod) else ()


def methods_of(shown: Table | Figure) -> tuple[str, ...]:
    match shown:
        case ArchitectureTable() | ReconstructionTable():
            return ()
        case _:
            return tuple(shown.rows)
