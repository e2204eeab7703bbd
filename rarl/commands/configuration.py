"""Commands about a configuration: is it valid, how large are its models."""

from pathlib import Path

from rarl.commands.adding import Commands
from rarl.config import load


def add(commands: Commands) -> None:
    for name, summary, function in (
        ("check", "Validates a configuration file.", check),
        ("parameters", "Counts the parameters of its models.", parameters),
    ):
        command = commands.add(name, summary, function, "config.yaml")
        command.add_argument("configfile", type=Path, nargs="+", help="later ones overlay")


def check(configfile: list[Path]) -> str:
    """A line about a valid configuration. Raises `ConfigError`."""
    content = load(*configfile)
    parts = ("datasets", "methods", "experiments", "tables", "figures")
    return f"{' '.join(map(str, configfile))}: valid; " + "; ".join(
        f"{part}: {', '.join(getattr(content, part))}" for part in parts
    )


def parameters(configfile: list[Path]) -> str:
    """The parameter counts of a configuration's models, as a table. Raises `ConfigError`."""
    from rarl import sizes  # noqa: PLC0415 - imports torch

    return sizes.table(load(*configfile))
