"""The commands beside the stages: what a user asks of a configuration, of a run or of a model."""

import argparse

from rarl.commands import configuration, models, runs, staleness
from rarl.commands.adding import Commands


def add(parser: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[str]:
    """Adds every command, each with its function as `handler`; gives an example of each."""
    commands = Commands(parser)
    for module in (configuration, models, runs, staleness):
        module.add(commands)
    return commands.examples
