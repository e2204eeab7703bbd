"""How a command is added to the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path


class Commands:
    """The commands of a parser, and an example of each."""

    def __init__(self, parser: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        self._parser = parser
        self.examples: list[str] = []

    def add(
        self, name: str, summary: str, function: Callable[..., str], example: str
    ) -> argparse.ArgumentParser:
        """A command that prints what `function` returns, given its options by name."""
        self.examples.append(f"rarl {name} {example}")
        epilog = f"example: rarl {name} {example}"
        added = self._parser.add_parser(name, help=summary, description=summary, epilog=epilog)
        added.set_defaults(handler=function)
        return added


def add_configfile(command: argparse.ArgumentParser) -> None:
    """The configuration, as Snakemake takes it."""
    command.add_argument(
        "--configfile", type=Path, nargs="+", default=[Path("config.yaml")], help="as Snakemake's"
    )
