"""What the rules `table` and `plot` give to their stages. Imports no torch."""

from dataclasses import dataclass

from rarl import kinds
from rarl.config import Config
from rarl.config.stages.report import InputGroup, PlotSettings, TableSettings, plot_of
from rarl.layout import Layout
from rarl.report.kind import Kind


@dataclass(frozen=True)
class Plan:
    """One job."""

    settings: TableSettings | PlotSettings
    inputs: list[str]  # files, in the order of the groups of `settings`
    beside: list[str]  # files that are made with it and that it does not read


def plan_table(config: Config, files: Layout, name: str) -> Plan:
    """The job that makes a table of the configuration."""
    return _plan(TableSettings, kinds.TABLES, config.tables[name].kind, config, files, name)


def plan_plot(config: Config, files: Layout, name: str) -> Plan:
    """The job that makes a plot of the configuration, or one that every experiment has."""
    return _plan(PlotSettings, kinds.PLOTS, plot_of(config, name).kind, config, files, name)


def _plan(
    settings: type[TableSettings] | type[PlotSettings],
    registry: dict[str, str],
    kind: str,
    config: Config,
    files: Layout,
    name: str,
) -> Plan:
    chosen: type[Kind] = kinds.load(registry, kind).Kind
    groups = chosen.inputs(config, files, name)
    given = settings(
        kind=kind,
        inputs=tuple(InputGroup(name=of, count=len(paths)) for of, paths in groups.items()),
        content=chosen.from_config(config, name).model_dump(mode="json"),
    )
    inputs = [path for paths in groups.values() for path in paths]
    return Plan(given, inputs, chosen.beside(config, files, name))
