"""The files behind tables and plots, from a configuration. Imports no torch."""

from collections.abc import Iterable, Sequence

from rarl.config import Config, Rejection, runs_of
from rarl.layout import Layout, train_log


def cells(config: Config, name: str, pattern: str) -> list[str]:
    """A file of every cell of a table: row by row, column by column, training seed by seed."""
    table = config.tables[name]
    return [
        pattern.format(experiment=experiment, method=method, table=name)
        for method in table.methods
        for experiment in runs_of(config, table)
    ]


def distances(config: Config, files: Layout, name: str) -> list[str]:
    """Those of every cell of a table, then those of real images, each with every extractor."""
    table = config.tables[name]
    patterns = [files.distance.replace("{method}", method) for method in table.methods]
    return [
        pattern.format(experiment=experiment, extractor=extractor)
        for pattern in (*patterns, files.held_out_distance)
        for experiment in runs_of(config, table)
        for extractor in config.experiments[experiment].evaluation.extractors
    ]


def qualities(config: Config, files: Layout, name: str) -> list[str]:
    """Those of every cell of a table, then those of real images."""
    runs = runs_of(config, config.tables[name])
    real = [files.held_out_quality.format(experiment=experiment) for experiment in runs]
    return [*cells(config, name, files.quality), *real]


def finetunings_of_cells(config: Config, files: Layout, name: str) -> list[str]:
    """The log of the fine-tuning behind every cell, in the order of `cells`."""
    table = config.tables[name]
    return [
        path
        for method in table.methods
        for experiment in runs_of(config, table)
        for path in finetunings(config, files, experiment, [method])
    ]


def finetunings(
    config: Config, files: Layout, experiment: str, methods: Iterable[str]
) -> list[str]:
    """The log of what fine-tuned the prior from which each method samples."""
    pattern = train_log(files.tuned)
    return [
        pattern.format(experiment=experiment, method=config.prior_of(method)) for method in methods
    ]


def training_logs(
    config: Config, files: Layout, experiment: str, methods: Sequence[str]
) -> list[str]:
    """The logs of all training of an experiment that these methods rest on, its own first."""
    of = config.experiments[experiment]
    own = [files.oracle if of.oracle else files.vqvae]
    own += [files.prior.replace("{grid}", level) for level in of.grids]
    tuned = dict.fromkeys(map(config.prior_of, methods))
    rejecting = [name for name in methods if isinstance(config.methods[name], Rejection)]
    return [
        *(train_log(model).format(experiment=experiment) for model in own),
        *(train_log(files.tuned).format(experiment=experiment, method=name) for name in tuned),
        *(train_log(files.critic).format(experiment=experiment, method=name) for name in rejecting),
    ]


def logs_behind(config: Config, files: Layout, name: str) -> list[str]:
    """The logs of all training behind a table of methods."""
    table = config.tables[name]
    return [
        path
        for experiment in runs_of(config, table)
        for path in training_logs(config, files, experiment, table.methods)
    ]


def plots_beside(config: Config, files: Layout, name: str) -> list[str]:
    """Samples and curves of a table's experiments: made with it, read by nobody."""
    return [
        files.plot.format(figure=f"{kind}-{experiment}")
        for kind in ("samples", "curves")
        for experiment in config.tables[name].experiments
    ]


def first_samples(
    config: Config, files: Layout, experiment: str, methods: Iterable[str]
) -> list[str]:
    """The first samples of each method: what image grids show."""
    seed = config.experiments[experiment].sampling.seeds[0]
    return [
        files.samples.format(experiment=experiment, method=method, seed=seed, shard=0)
        for method in methods
    ]
