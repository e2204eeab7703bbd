"""The tables and plots that a configuration asks for, by kind.

What a kind reads and how it is shown: the modules that `rarl.kinds` names in TABLES and PLOTS.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from rarl.config.errors import require
from rarl.config.fields import Count, CountOrZero, Real, Settings
from rarl.config.models import Prior

Columns = Annotated[dict[str, str], Field(min_length=1)]  # experiment: heading
Rows = Annotated[tuple[str, ...], Field(min_length=1)]  # methods
PaperValues = tuple[Real | None, ...]  # in column order
PRIORS_SHOWN = ("prior", "top prior", "bottom prior", "oracle", "generator")  # in architectures


class Shown(Settings):
    """What all tables and plots have; a kind sets what differs."""

    of_oracle: ClassVar[bool | None] = False  # of experiments with an oracle; None: of both
    of_finetuned: ClassVar[bool] = False  # all rows are methods that make a prior of their own
    of_samples: ClassVar[bool] = False  # its methods are those in the image grids of an experiment

    title: str

    @property
    def headings(self) -> dict[str, str]:
        """The experiments, each with its heading; none where it is of one experiment."""
        columns: dict[str, str] | None = getattr(self, "columns", None)
        return columns if columns is not None else {getattr(self, "experiment"): ""}  # noqa: B009

    @property
    def experiments(self) -> tuple[str, ...]:
        """In column order."""
        return tuple(self.headings)

    @property
    def methods(self) -> tuple[str, ...]:
        """The rows, where these are methods."""
        return tuple(getattr(self, "rows", ()))

    @property
    def paper_values(self) -> dict[str, PaperValues]:
        """The paper's values of a row; empty for a kind of which the paper has none."""
        return getattr(self, "paper", {})


class _WithPaper(Shown):
    """Rows are methods, columns experiments."""

    columns: Columns
    paper: dict[str, PaperValues]

    @model_validator(mode="after")
    def _paper_fits(self) -> Self:
        _require_widths(self.paper, self.columns)
        return self


class DistanceTable(_WithPaper):
    """Cells are Frechet distances of samples to the reference (paper's Tables 1 to 3)."""

    of_samples = True

    kind: Literal["distance"]
    rows: Rows


class SecondsTable(_WithPaper):
    """Cells are seconds to draw a batch of rollouts (paper's Table 11). Needs no training."""

    of_finetuned = True

    kind: Literal["seconds"]
    rows: Annotated[dict[str, str], Field(min_length=1)]  # method: label
    batch_size: Count


class ReconstructionTable(Shown):
    """One row: Frechet distances of reconstructions to the real images (paper's Table 12)."""

    kind: Literal["reconstruction"]
    columns: Columns
    paper: PaperValues

    @model_validator(mode="after")
    def _paper_fits(self) -> Self:
        _require_widths({"": self.paper}, self.columns)
        return self

    @property
    def paper_values(self) -> dict[str, PaperValues]:
        """None of a method."""
        return {}


class ArchitectureTable(Shown):
    """The settings of one experiment's models (paper's Tables 4 to 10)."""

    of_oracle = None

    kind: Literal["architecture"]
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


class QualityTable(Shown):
    """Rows are methods of one experiment, columns distance, precision, recall, KID, seconds."""

    of_samples = True

    kind: Literal["quality"]
    experiment: str
    rows: Rows


class NllTable(Shown):
    """Rows are methods of an oracle experiment, columns NLL_oracle and NLL_test."""

    of_oracle = True
    of_finetuned = True

    kind: Literal["nll"]
    experiment: str
    rows: Rows


class ReplicatedTable(Shown):
    """Methods, the first of them the one to beat, over several training seeds of each experiment.

    With every seed all models of the experiment are trained anew, from the VQ-VAE on.
    """

    of_finetuned = True

    kind: Literal["replicated"]
    training_seeds: Annotated[tuple[CountOrZero, ...], Field(min_length=2)]
    columns: Columns
    rows: Annotated[tuple[str, ...], Field(min_length=2)]

    @field_validator("training_seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"{list(seeds)} holds one twice")
        return seeds


class SamplesFigure(Shown):
    """Samples: a strip for each experiment and, within it, a block for each method."""

    of_samples = True

    kind: Literal["samples"]
    columns: Columns
    rows: Rows


class TimeFigure(Shown):
    """Held-out distance against training time, methods together."""

    of_finetuned = True

    kind: Literal["time"]
    experiment: str
    rows: Rows


class CurvesFigure(Shown):
    """Learning curves of the models of an experiment, methods together."""

    of_oracle = None
    of_finetuned = True

    kind: Literal["curves"]
    experiment: str
    rows: tuple[str, ...]


Figure = Annotated[SamplesFigure | TimeFigure | CurvesFigure, Field(discriminator="kind")]
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


def _require_widths(paper: dict[str, PaperValues], columns: dict[str, str]) -> None:
    for row, values in paper.items():
        if len(values) != len(columns):
            where = f"paper.{row}" if row else "paper"
            raise ValueError(f"{where}: has {len(values)} figures for {len(columns)} columns")
