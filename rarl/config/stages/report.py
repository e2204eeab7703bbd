"""What each stage that makes a table or a figure is given. Imports no torch.

Labels say what is compared: a method whose reward is mixed with maximum likelihood in an experiment
is not called what the paper calls the reward alone.
"""

from rarl.config import (
    SINGLE,
    ArchitectureTable,
    Config,
    Count,
    CountOrZero,
    DistanceTable,
    Prior,
    QualityTable,
    Real,
    ReconstructionTable,
    Rejection,
    ReplicatedTable,
    Rl,
    SamplesFigure,
    SecondsTable,
    Settings,
    Table,
    TimeFigure,
    Vqvae,
    experiments_of,
    methods_of,
    runs_of,
    training_seeds,
)
from rarl.config.stages.train import PriorSettings

MIXED = " + MLE"  # behind the label of a reward that is mixed with the NLL of real codes
SELECTIONS = {  # `rl.selection`: what a table says about it
    "best": "selection: best, the iteration with the lowest metric of a held-out sample, the start "
    "among them; the paper compares methods after the same number of iterations",
    "last": "selection: last, so that methods are compared after the same number of iterations, as "
    "in the paper",
}


class ImageGridSettings(Settings):
    labels: tuple[str, ...]  # of the methods, left to right


class SamplesFigureSettings(Settings):
    title: str
    labels: tuple[tuple[str, ...], ...]  # experiments top to bottom, methods left to right


class CurvesSettings(Settings):
    title: str
    grids: tuple[str, ...]  # of the priors, in the order of their metrics
    labels: tuple[str, ...]  # of the methods, likewise


class TimeFigureSettings(Settings):
    title: str
    labels: tuple[str, ...]  # of the methods


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


class TableSettings(Settings):
    """Measurements of methods in experiments."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    paper: tuple[tuple[Real | None, ...] | None, ...]  # the paper's values of each row, or none
    notes: tuple[str, ...]  # lines of Markdown: what a reader must know about the methods


class PriorColumn(Settings):
    heading: str
    prior: Prior
    ours: tuple[str, ...]  # its settings that the paper does not give


class ArchitectureSettings(Settings):
    title: str
    image_size: Count
    latents: tuple[Count, ...]
    vqvae: Vqvae
    priors: tuple[PriorColumn, ...]  # coarse to fine, the oracle first


class PageSettings(Settings):
    """Nothing to set."""


def methods(config: Config, experiment: str) -> tuple[str, ...]:
    """The methods in an experiment's figures: the rows of the first table or figure of its samples.

    All methods when none shows any.
    """
    every = (*config.tables.values(), *config.figures.values())
    sampled = [of for of in every if isinstance(of, (DistanceTable, QualityTable, SamplesFigure))]
    replicated = [of for of in every if isinstance(of, ReplicatedTable)]  # other training seeds
    for of in (*sampled, *replicated):
        if experiment in runs_of(config, of):
            return methods_of(of)
    return tuple(config.methods)


def finetuned(config: Config, experiment: str) -> tuple[str, ...]:
    """Those of `methods` that make a prior of their own."""
    return tuple(name for name in methods(config, experiment) if name in config.finetuned)


def grid(config: Config, experiment: str) -> ImageGridSettings:
    return ImageGridSettings(labels=labels(config, experiment, methods(config, experiment)))


def curves(config: Config, experiment: str) -> CurvesSettings:
    return CurvesSettings(
        title=experiment,
        grids=config.experiments[experiment].grids,
        labels=labels(config, experiment, finetuned(config, experiment)),
    )


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


def samples_figure(config: Config, name: str) -> SamplesFigureSettings:
    of = config.figures[name]
    assert isinstance(of, SamplesFigure)  # by the rules
    return SamplesFigureSettings(
        title=of.title,
        labels=tuple(
            tuple(f"{heading}, {label}" for label in labels(config, experiment, of.rows))
            for experiment, heading in of.columns.items()
        ),
    )


def time_figure(config: Config, name: str) -> TimeFigureSettings:
    of = config.figures[name]
    assert isinstance(of, TimeFigure)  # by the rules
    return TimeFigureSettings(title=of.title, labels=labels(config, of.experiment, of.rows))


def table(config: Config, name: str) -> TableSettings:
    """Of a measured table of any kind."""
    of = config.tables[name]
    assert not isinstance(of, ArchitectureTable)  # by the rules
    columns = tuple(
        Column(
            name=experiment, heading=heading, training_seeds=training_seeds(config, of, experiment)
        )
        for experiment, heading in headings_of(of).items()
    )
    if isinstance(of, ReconstructionTable):
        rows = (Row(name="reconstructions", label="Reconstructions"),)
        return TableSettings(
            title=of.title, columns=columns, rows=rows, paper=(of.paper,), notes=()
        )
    paper = getattr(of, "paper", {})  # kinds of table of which the paper has none
    return TableSettings(
        title=of.title,
        columns=columns,
        rows=tuple(Row(name=row, label=row_label(config, of, row)) for row in of.rows),
        paper=tuple(paper.get(row) for row in of.rows),
        notes=() if isinstance(of, SecondsTable) else notes(config, of),
    )


def headings_of(of: Table) -> dict[str, str]:
    """The heading of each experiment of a table; none where it is of one experiment."""
    return getattr(of, "columns", None) or dict.fromkeys(experiments_of(of), "")


def row_label(config: Config, of: Table, method: str) -> str:
    """A method's label, and the columns in which its reward is mixed with the NLL of real codes."""
    if isinstance(of, SecondsTable):
        return of.rows[method]
    label, headings = config.methods[method].label, headings_of(of)
    mixed = [headings[name] for name in headings if mixes(config, name, method)]
    if len(mixed) == len(headings):
        return label + MIXED
    return f"{label} ({MIXED.strip()}: {', '.join(mixed)})" if mixed else label


def notes(config: Config, of: Table) -> tuple[str, ...]:
    """What a reader must know about a table's methods to read its cells."""
    pairs = [(name, method) for name in headings_of(of) for method in methods_of(of)]
    made = dict.fromkeys((name, config.prior_of(method)) for name, method in pairs)
    found = [
        f"- {SELECTIONS[selection]}"
        for selection in dict.fromkeys(config.finetuning(*pair).selection for pair in made)
    ]
    if any(mixes(config, *pair) for pair in pairs):
        found.append(
            f"- {MIXED.strip()}: the reward's loss is mixed with the NLL of real codes "
            "(mle_weight); the paper's is the reward alone"
        )
    found += [
        f"- {config.methods[method].label}: a critic ranks the samples; the paper's rejection "
        "sampling ranks them by a classifier's score of their class, which unlabelled images lack"
        for method in methods_of(of)
        if isinstance(config.methods[method], Rejection)
    ]
    return tuple(found)


def architecture(config: Config, name: str) -> ArchitectureSettings:
    of = config.tables[name]
    assert isinstance(of, ArchitectureTable)  # by the rules
    experiment = config.experiments[of.experiment]
    if experiment.oracle is not None:
        oracle = PriorSettings.of_oracle(config, of.experiment).prior
        priors = {"oracle": oracle, "generator": experiment.prior.of(SINGLE)}
    elif len(experiment.grids) == 1:
        priors = {"prior": experiment.prior.of(SINGLE)}
    else:
        priors = {f"{grid} prior": experiment.prior.of(grid) for grid in experiment.grids}
    return ArchitectureSettings(
        title=of.title,
        image_size=experiment.image_size,
        latents=experiment.latents,
        vqvae=experiment.vqvae,
        priors=tuple(
            PriorColumn(heading=name, prior=prior, ours=of.ours.get(name, ()))
            for name, prior in priors.items()
        ),
    )


def page() -> PageSettings:
    return PageSettings()
