"""A whole configuration: data sets, methods, experiments and tables, and that their names meet."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from rarl.config.datasets import Dataset
from rarl.config.experiment import Experiment, Rl
from rarl.config.faults import one_line, require
from rarl.config.fields import FolderName, Name, Real, Settings
from rarl.config.overlaying import overlay

RESERVED = ("benchmarks", "data", "figures", "logs", "tables")  # folders beside the experiments'


class Method(Settings):
    """A way to fine-tune the prior: a row of a table. `rl` overlays the experiment's `rl`."""

    label: str
    objective: Literal["mle", "reinforce"]
    rl: dict[str, Any]


class Table(Settings):
    """Rows are methods, columns experiments, cells Frechet distances."""

    title: str
    columns: Annotated[dict[str, str], Field(min_length=1)]  # experiment: heading
    rows: Annotated[tuple[str, ...], Field(min_length=1)]  # methods
    paper: dict[str, tuple[Real | None, ...]]  # the paper's figures of a row, in column order


class Config(Settings):
    """A whole configuration file."""

    results: FolderName  # everything that is computed
    datasets: dict[Name, Dataset]
    methods: dict[Name, Method]
    experiments: dict[Name, Experiment]
    tables: dict[Name, Table]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, experiment in self.experiments.items():
            if name in RESERVED:
                raise ValueError(
                    f"experiments.{name}: the name is taken by a folder of the results"
                )
            require(experiment.dataset, self.datasets, f"experiments.{name}.dataset", "dataset")
            for method in self.methods:
                self.finetuning(name, method)
        for name, table in self.tables.items():
            for column in table.columns:
                require(column, self.experiments, f"tables.{name}.columns", "experiment")
            for row in table.rows:
                require(row, self.methods, f"tables.{name}.rows", "method")
            for row, figures in table.paper.items():
                require(row, table.rows, f"tables.{name}.paper", "row")
                if len(figures) != len(table.columns):
                    raise ValueError(
                        f"tables.{name}.paper.{row}: has {len(figures)} figures for "
                        f"{len(table.columns)} columns"
                    )
        return self

    def finetuning(self, experiment: str, method: str) -> Rl:
        """The `rl` settings of a method in an experiment: the experiment's, overlaid."""
        override = self.methods[method].rl
        if "iterations" in override:
            raise ValueError(
                f"methods.{method}.rl.iterations: set it in the experiment's rl, so that every "
                "method runs for the same number of iterations"
            )
        merged = overlay(self.experiments[experiment].rl.model_dump(), override)
        try:
            rl = Rl.model_validate_json(json.dumps(merged))
        except ValidationError as error:
            raise ValueError(one_line(error, Rl, f"methods.{method}.rl")) from None
        try:
            of = self.experiments[experiment]
            rl.part.rows(of.latents)
            rl.critic.check(of.image_size)
        except ValueError as error:
            raise ValueError(f"experiments.{experiment}.rl for method {method}: {error}") from None
        return rl
