"""A whole configuration: data sets, methods, experiments and tables, and that their names meet."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from rarl.config.datasets import Dataset
from rarl.config.errors import one_line, require
from rarl.config.experiment import Experiment
from rarl.config.fields import Count, CountOrZero, FolderName, Name, Positive, Settings
from rarl.config.finetuning import BY_OBJECTIVE, IN_METHOD, Finetuning, Rl, refuse_old_keys
from rarl.config.overlay import overlay
from rarl.config.tables import Figure, Table

LONG = ".long"  # ends the stem of a table's tidy CSV
RESERVED = ("README.md", "benchmarks", "data", "figures", "logs", "tables")  # of the results


READ_OF_RL = {"rejection": ("reward", "log_every")}  # by objectives that don't read all of it


class Finetuned(Settings):
    """A way to fine-tune the prior. `rl` overlays the experiment's `rl`.

    Keys beside `kind` in its `reward` and `credit` overlay the experiment's values of that kind.
    """

    label: str
    objective: Literal["mle", "reinforce", "discriminative"]
    rl: dict[str, Any]


class Rejection(Settings):
    """Draws `draws` times as many images from another method's prior and keeps the best.

    A critic that was trained on that prior's samples, by the experiment's `rl` overlaid by this
    `rl`, says which: the trick of VQ-VAE-2 with RAL's critic.
    """

    label: str
    objective: Literal["rejection"]
    of: str  # the method
    draws: Annotated[int, Field(ge=2)]
    rl: dict[str, Any]


class Tempered(Settings):
    """Draws from another method's prior at another temperature: what narrowing alone gives."""

    label: str
    objective: Literal["tempered"]
    of: str  # the method
    temperature: Positive
    rl: dict[str, Any]

    @field_validator("rl")
    @classmethod
    def _trains_nothing(cls, rl: dict[str, Any]) -> dict[str, Any]:
        if rl:
            raise ValueError(f"{next(iter(rl))} has no effect: objective tempered trains nothing")
        return rl


Method = Annotated[Finetuned | Rejection | Tempered, Field(discriminator="objective")]


class Checkpoints(Settings):
    """How often a stage saves where it is: whichever comes first; 0 for never. And how long it may
    take to save when a signal asks it to stop."""

    every_seconds: Annotated[float, Field(ge=0)]
    every_steps: CountOrZero  # of training; of drawing, batches
    shutdown_seconds: Count  # from a signal to the kill of a stage's several processes (torchrun)


class Config(Settings):
    """A whole configuration file."""

    results: FolderName  # everything that is computed
    checkpoints: Checkpoints
    datasets: dict[Name, Dataset]
    methods: dict[Name, Method]
    experiments: dict[Name, Experiment]
    tables: dict[Name, Table]
    figures: dict[Name, Figure]

    @model_validator(mode="after")
    def _experiments_hold(self) -> Self:
        for name, experiment in self.experiments.items():
            if name in RESERVED:
                raise ValueError(f"experiments.{name}: the name is taken in the folder of results")
            require(experiment.dataset, self.datasets, f"experiments.{name}.dataset", "dataset")
            if experiment.oracle is not None:
                self._require_source(experiment, experiment.oracle.of, f"experiments.{name}.oracle")
            for method in self.methods:
                self._overlaid(name, method)
        return self

    def _require_source(self, experiment: Experiment, source: str, where: str) -> None:
        require(source, self.experiments, f"{where}.of", "experiment")
        of = self.experiments[source]
        for name in ("seed", "dataset", "image_size", "latents", "vqvae"):
            if getattr(of, name) != getattr(experiment, name):
                raise ValueError(f"{where}.of: {source} has another {name}, so its codes differ")
        if of.oracle:
            raise ValueError(f"{where}.of: {source} has an oracle, but must be on images")

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, method in self.methods.items():
            if isinstance(method, (Rejection, Tempered)):
                require(method.of, self.finetuned, f"methods.{name}.of", "fine-tuning method")
        for name, table in self.tables.items():
            if name.endswith(LONG):
                raise ValueError(f"tables.{name}: a name that ends in {LONG} is that of a tidy CSV")
            self._require_shown(f"tables.{name}", table)
            for row in table.paper_values:
                require(row, table.methods, f"tables.{name}.paper", "row")
        for name, figure in self.figures.items():
            self._require_shown(f"figures.{name}", figure)
            if name.startswith(("samples-", "curves-")):
                raise ValueError(f"figures.{name}: such names are those of every experiment")
        return self

    def _require_shown(self, where: str, shown: Table | Figure) -> None:
        """What a table or figure shows exists, and is of its kind."""
        key = "experiment" if hasattr(shown, "experiment") else "columns"
        for column in shown.experiments:
            require(column, self.experiments, f"{where}.{key}", "experiment")
            oracle = self.experiments[column].oracle is not None
            if shown.of_oracle not in (None, oracle):
                wanted = "an oracle" if shown.of_oracle else "images, not an oracle's codes"
                raise ValueError(f"{where}.{key}: {column} must be an experiment on {wanted}")
        rows: Mapping[str, Method] = self.methods
        kind = "method"
        if shown.of_finetuned:
            rows, kind = self.finetuned, "fine-tuning method"
        for row in shown.methods:
            require(row, rows, f"{where}.rows", kind)
            for column in shown.experiments:
                self.finetuning(column, row)

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        labels: dict[str, str] = {}
        for name, method in self.methods.items():
            if method.label in labels:
                raise ValueError(
                    f"methods.{name}.label: '{method.label}' is that of {labels[method.label]}, too"
                )
            labels[method.label] = name
        return self

    @property
    def finetuned(self) -> dict[str, Finetuned]:
        """The methods that make a prior of their own."""
        return {name: of for name, of in self.methods.items() if isinstance(of, Finetuned)}

    def prior_of(self, method: str) -> str:
        """The method whose prior it draws from: itself, where it makes one."""
        of = self.methods[method]
        return method if isinstance(of, Finetuned) else of.of

    def finetuning(self, experiment: str, method: str) -> Finetuning:
        """What a method reads of an experiment's `rl`, overlaid by its own.

        An `Rl` where there is a reward or, for rejection, a critic. Raises ValueError when it
        does not fit the experiment's images and levels.
        """
        rl, of = self._overlaid(experiment, method), self.experiments[experiment]
        try:
            of.check_batches(rl)
            if isinstance(rl, Rl):
                rows = rl.part.rows(of.latents)[-1]
                scale = 2**of.vqvae.layers if of.shows_images(rl.reward) else 1
                rl.reward.check(scale * rows, scale * of.latents[-1])
                for extractor in rl.reward.extractors:
                    of.evaluation.refuse("reward.extractor", extractor)
        except ValueError as error:
            raise ValueError(f"experiments.{experiment}.rl for method {method}: {error}") from None
        return rl

    def _overlaid(self, experiment: str, method: str) -> Finetuning:
        own, objective = self.methods[method].rl, self.methods[method].objective
        self._require_read(method)
        rl = self.experiments[experiment].rl
        kind = BY_OBJECTIVE[objective]
        try:
            if not issubclass(kind, Rl):
                shared = rl.model_dump(include=set(Finetuning.model_fields))
                return kind.model_validate_json(json.dumps(overlay(shared, own)))
            if objective == "rejection":  # whatever the reward of other methods is
                own = overlay({"reward": {"kind": "critic"}, "credit": {"kind": "single"}}, own)
            return Rl.model_validate_json(json.dumps(rl.chosen(own)))
        except ValidationError as error:
            raise ValueError(one_line(error, kind, f"methods.{method}.rl")) from None
        except ValueError as error:
            raise ValueError(f"methods.{method}.{error}") from None

    def _require_read(self, method: str) -> None:
        """A method's `rl` holds keys that its objective reads, and those of no former version."""
        own, objective = self.methods[method].rl, self.methods[method].objective
        where = f"methods.{method}.rl"
        try:
            refuse_old_keys(own, IN_METHOD)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if "iterations" in own:
            raise ValueError(
                f"{where}.iterations: set it in the experiment's rl, so that every "
                "method runs for the same number of iterations"
            )
        for section, key in (("rewards", "reward"), ("credits", "credit")):
            if section in own:
                raise ValueError(
                    f"{where}.{section}: is for experiments; a method sets {key}: {{kind: ...}} "
                    "and its own values beside kind"
                )
        for key in own:
            read = READ_OF_RL.get(objective, tuple(BY_OBJECTIVE[objective].model_fields))
            if key in Rl.model_fields and key not in read:
                raise ValueError(f"{where}.{key}: has no effect on objective: {objective}")
        reward = own.get("reward")
        kind = reward.get("kind", "critic") if isinstance(reward, Mapping) else "critic"
        if objective == "rejection" and kind != "critic":
            raise ValueError(f"{where}.reward.kind: must be critic, which chooses among the draws")
