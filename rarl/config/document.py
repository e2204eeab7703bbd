"""A whole configuration: data sets, methods, experiments and tables, and that their names meet."""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rarl.config.datasets import Dataset
from rarl.config.experiment import Experiment, Rl
from rarl.config.faults import one_line, require
from rarl.config.fields import FolderName, Name, Settings
from rarl.config.overlaying import overlay
from rarl.config.tables import Figure, Table, experiments_of, methods_of, paper_rows

RESERVED = ("benchmarks", "data", "figures", "logs", "tables")  # folders beside the experiments'


class Finetuned(Settings):
    """A way to fine-tune the prior. `rl` overlays the experiment's `rl`."""

    label: str
    objective: Literal["mle", "reinforce"]
    rl: dict[str, Any]


class Rejection(Settings):
    """Draws `draws` times as many pictures from another method's prior and keeps the best.

    A critic that was trained on that prior's samples, by the experiment's `rl` overlaid by this
    `rl`, says which: the trick of VQ-VAE-2 with RAL's critic.
    """

    label: str
    objective: Literal["rejection"]
    of: str  # the method
    draws: Annotated[int, Field(ge=2)]
    rl: dict[str, Any]


Method = Annotated[Finetuned | Rejection, Field(discriminator="objective")]


class Config(Settings):
    """A whole configuration file."""

    results: FolderName  # everything that is computed
    datasets: dict[Name, Dataset]
    methods: dict[Name, Method]
    experiments: dict[Name, Experiment]
    tables: dict[Name, Table]
    figures: dict[Name, Figure]

    @model_validator(mode="after")
    def _experiments_hold(self) -> Self:
        for name, experiment in self.experiments.items():
            if name in RESERVED:
                raise ValueError(
                    f"experiments.{name}: the name is taken by a folder of the results"
                )
            require(experiment.dataset, self.datasets, f"experiments.{name}.dataset", "dataset")
            if experiment.oracle is not None:
                self._require_source(experiment, experiment.oracle.of, f"experiments.{name}.oracle")
            for method in self.methods:
                self._overlaid(name, method)
        return self

    def _require_source(self, experiment: Experiment, source: str, where: str) -> None:
        require(source, self.experiments, f"{where}.of", "experiment")
        of = self.experiments[source]
        if of.oracle or (of.latents, of.vqvae) != (experiment.latents, experiment.vqvae):
            raise ValueError(
                f"{where}.of: {source} must be an experiment on pictures with the same latents "
                "and vqvae"
            )

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, method in self.methods.items():
            if isinstance(method, Rejection):
                require(method.of, self.finetuned, f"methods.{name}.of", "fine-tuning method")
        for name, table in self.tables.items():
            self._require_all(f"tables.{name}", experiments_of(table), methods_of(table))
            for row in paper_rows(table):
                require(row, methods_of(table), f"tables.{name}.paper", "row")
        for name, figure in self.figures.items():
            self._require_all(f"figures.{name}", experiments_of(figure), methods_of(figure))
        return self

    def _require_all(self, where: str, columns: Iterable[str], rows: Iterable[str]) -> None:
        for column in columns:
            require(column, self.experiments, f"{where}.columns", "experiment")
        for row in rows:
            require(row, self.methods, f"{where}.rows", "method")
            for column in columns:
                self.finetuning(column, row)

    @property
    def finetuned(self) -> dict[str, Finetuned]:
        """The methods that make a prior of their own."""
        return {name: of for name, of in self.methods.items() if isinstance(of, Finetuned)}

    def finetuning(self, experiment: str, method: str) -> Rl:
        """The `rl` settings of a method in an experiment: the experiment's, overlaid.

        Raises ValueError when they don't fit its pictures and grids.
        """
        rl, of = self._overlaid(experiment, method), self.experiments[experiment]
        try:
            rl.part.rows(of.latents)
            rl.critic.check(of.latents[-1] if of.oracle else of.image_size)
        except ValueError as error:
            raise ValueError(f"experiments.{experiment}.rl for method {method}: {error}") from None
        return rl

    def _overlaid(self, experiment: str, method: str) -> Rl:
        override = self.methods[method].rl
        if "iterations" in override:
            raise ValueError(
                f"methods.{method}.rl.iterations: set it in the experiment's rl, so that every "
                "method runs for the same number of iterations"
            )
        merged = overlay(self.experiments[experiment].rl.model_dump(), override)
        try:
            return Rl.model_validate_json(json.dumps(merged))
        except ValidationError as error:
            raise ValueError(one_line(error, Rl, f"methods.{method}.rl")) from None
