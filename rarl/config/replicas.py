"""Experiments that differ from another one in nothing but the training seed."""

from rarl.config.document import Config
from rarl.config.errors import ConfigError
from rarl.config.experiment import Experiment
from rarl.config.tables import ReplicatedTable, Shown


def replicas(config: Config, table: ReplicatedTable, experiment: str) -> tuple[str, ...]:
    """Names of the experiments behind a column, one for each training seed.

    That with the seed of the configuration is the experiment itself.
    """
    own = config.experiments[experiment].seed
    return tuple(
        experiment if seed == own else f"{experiment}-seed-{seed}" for seed in table.training_seeds
    )


def training_seeds(config: Config, shown: Shown, experiment: str) -> tuple[int, ...]:
    """With which a column's experiment is trained."""
    if isinstance(shown, ReplicatedTable):
        return shown.training_seeds
    return (config.experiments[experiment].seed,)


def runs_of(config: Config, shown: Shown) -> tuple[str, ...]:
    """The experiments that a table or figure rests on, column by column, seed by seed."""
    if not isinstance(shown, ReplicatedTable):
        return shown.experiments
    return tuple(run for column in shown.columns for run in replicas(config, shown, column))


def with_replicas(config: Config) -> Config:
    """The configuration with all experiments that its tables rest on.

    Raises `ConfigError` when an experiment of another kind has the name of one of them.
    """
    added: dict[str, Experiment] = {}
    for name, table in config.tables.items():
        if not isinstance(table, ReplicatedTable):
            continue
        for experiment in table.columns:
            of = config.experiments[experiment]
            names = replicas(config, table, experiment)
            for replica, seed in zip(names, table.training_seeds, strict=True):
                if replica != experiment and replica in config.experiments:
                    raise ConfigError(
                        f"tables.{name}: {replica} is the name of training seed {seed} of "
                        f"{experiment}; call the experiment of this name something else"
                    )
                added[replica] = of.model_copy(update={"seed": seed})
    return config.model_copy(update={"experiments": config.experiments | added})
