"""What the stages `table` and `plot` are given, and what the kinds share. Imports no torch.

Labels say what is compared: a method whose reward is mixed with maximum likelihood in an experiment
is not called what the paper calls the reward alone.
"""

from typing import Any

from rarl.config import (
    Config,
    CountOrZero,
    CurvesFigure,
    Figure,
    Real,
    Rejection,
    ReplicatedTable,
    Rl,
    SamplesFigure,
    Settings,
    Shown,
    runs_of,
)
from rarl.kinds import PLOTS, TABLES

MIXED = " + MLE"  # behind the label of a reward that is mixed with the NLL of real codes
REAL = "real images"  # a row of distances, in the place of a method; no method's name has a space
SELECTIONS = {  # `rl.selection`: what a table says about it
    "best": "selection: best, the iteration with the lowest metric of a held-out sample, the start "
    "among them; the paper compares methods after the same number of iterations",
    "last": "selection: last, so that methods are compared after the same number of iterations, as "
    "in the paper",
}


class InputGroup(Settings):
    """Some of the files that a table or plot reads, under a name that its kind gives them."""

    name: str
    count: CountOrZero


class TableSettings(Settings):
    """Of one table."""

    kind: str  # in `rarl.kinds.TABLES`
    inputs: tuple[InputGroup, ...]  # in the order of the files on the command line
    content: dict[str, Any]  # the fields of the kind's class

    @property
    def kinds(self) -> tuple[str, ...]:
        return (TABLES[self.kind],)


class PlotSettings(Settings):
    """Of one plot."""

    kind: str  # in `rarl.kinds.PLOTS`
    inputs: tuple[InputGroup, ...]
    content: dict[str, Any]

    @property
    def kinds(self) -> tuple[str, ...]:
        return (PLOTS[self.kind],)


class PageSettings(Settings):
    """Nothing to set."""


class Run(Settings):
    """What is measured: a method in an experiment that was trained with one seed."""

    experiment: str
    method: str
    training_seed: CountOrZero


class Row(Settings):
    """A method."""

    name: str
    label: str


class Column(Settings):
    """An experiment, trained with one seed or several."""

    name: str
    heading: str
    training_seeds: tuple[CountOrZero, ...]
    extractors: tuple[str, ...]  # of its evaluation; the first is that of the CSV


class Measurements(Settings):
    """What a table of measurements of methods in experiments says beside them."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    paper: tuple[tuple[Real | None, ...] | None, ...]  # the paper's values of each row, or none
    notes: tuple[str, ...]  # lines of Markdown: what a reader must know about the methods


def plot_names(config: Config) -> list[str]:
    """Of the plots of a configuration, and of those that every experiment has."""
    return [
        *config.figures,
        *(f"curves-{name}" for name in config.experiments),
        *(f"samples-{name}" for name, of in config.experiments.items() if of.oracle is None),
    ]


def plot_of(config: Config, name: str) -> Figure:
    """The plot of one of `plot_names`."""
    if name in config.figures:
        return config.figures[name]
    kind, _, experiment = name.partition("-")
    if kind == "samples":
        rows = methods(config, experiment)
        return SamplesFigure(kind="samples", title="", columns={experiment: ""}, rows=rows)
    rows = finetuned(config, experiment)
    return CurvesFigure(kind="curves", title=experiment, experiment=experiment, rows=rows)


def methods(config: Config, experiment: str) -> tuple[str, ...]:
    """The methods in an experiment's plots: the rows of the first table or plot of its samples.

    Without one, those of any other table or plot; all methods when none shows any.
    """
    every: tuple[Shown, ...] = (*config.tables.values(), *config.figures.values())
    sampled = [of for of in every if of.of_samples]
    replicated = [of for of in every if isinstance(of, ReplicatedTable)]  # other training seeds
    for of in (*sampled, *replicated, *every):
        if of.methods and experiment in runs_of(config, of):
            return of.methods
    return tuple(config.methods)


def finetuned(config: Config, experiment: str) -> tuple[str, ...]:
    """Those of `methods` that make a prior of their own."""
    return tuple(name for name in methods(config, experiment) if name in config.finetuned)


def labels(config: Config, experiment: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Of methods in one experiment."""
    return tuple(
        config.methods[name].label + (MIXED if mixes(config, experiment, name) else "")
        for name in names
    )


def mixes(config: Config, experiment: str, method: str) -> bool:
    """Whether a reward is mixed with the NLL of real codes, which the paper does not do."""
    if method not in config.finetuned:
        return False
    rl = config.finetuning(experiment, method)
    return isinstance(rl, Rl) and rl.mle_weight > 0


def row_label(config: Config, of: Shown, method: str) -> str:
    """A method's label, and the columns in which its reward is mixed with the NLL of real codes."""
    label = config.methods[method].label
    mixed = [heading for name, heading in of.headings.items() if mixes(config, name, method)]
    if len(mixed) == len(of.headings):
        return label + MIXED
    return f"{label} ({MIXED.strip()}: {', '.join(mixed)})" if mixed else label


def notes(config: Config, of: Shown) -> tuple[str, ...]:
    """What a reader must know about a table's methods to read its cells."""
    pairs = [(name, method) for name in of.experiments for method in of.methods]
    made = dict.fromkeys((name, config.prior_of(method)) for name, method in pairs)
    selections = dict.fromkeys(config.finetuning(*pair).selection for pair in made)
    found = [f"- {SELECTIONS[selection]}" for selection in selections]
    extractors = dict.fromkeys(config.experiments[name].evaluation.extractors for name, _ in pairs)
    found += [
        f"- model selection sees the features of {first} alone, so that distances on those of "
        f"{' and '.join(others)} are independent of it"
        for first, *others in extractors
        if others and "best" in selections and of.of_oracle is False
    ]
    if any(mixes(config, *pair) for pair in pairs):
        found.append(
            f"- {MIXED.strip()}: the reward's loss is mixed with the NLL of real codes "
            "(mle_weight); the paper's is the reward alone"
        )
    found += [
        f"- {config.methods[method].label}: a critic ranks the samples; the paper's rejection "
        "sampling ranks them by a classifier's score of their class, which unlabelled images lack"
        for method in of.methods
        if isinstance(config.methods[method], Rejection)
    ]
    return tuple(found)
