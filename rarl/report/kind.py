"""What a kind of table or plot is: a class that says what it reads and how it is shown.

The module of a kind holds one class `Kind`; `rarl.kinds` names the module, which is loaded where a
configuration chooses the kind. `rarl.report.plan` asks the class what to read; the stages `table`
and `plot` ask an instance to show it. Imports no torch, and planning imports no matplotlib.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rarl.config import Config, Settings
from rarl.config.stages.report import InputGroup
from rarl.layout import Layout
from rarl.runtime.errors import UserError

if TYPE_CHECKING:
    from rarl.report.table import Table

Inputs = dict[str, list[Path]]  # files by the names that a kind gives them


class Kind(Settings):
    """The settings of one table or plot are the fields of its kind's class."""

    @classmethod
    @abstractmethod
    def from_config(cls, config: Config, name: str) -> Self:
        """The settings of the table or plot `name` of a configuration."""

    @classmethod
    @abstractmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        """The files that it reads, by names of its own."""

    @classmethod
    def beside(cls, config: Config, files: Layout, name: str) -> list[str]:
        """Files that are made with it and that it does not read."""
        del config, files, name
        return []


class TableKind(Kind):
    """A kind of table."""

    @abstractmethod
    def table(self, inputs: Inputs) -> "Table":
        """From the files of `inputs`. Raises `UserError` for one that is not what it should be."""


@dataclass(frozen=True)
class Plot:
    """An image, and the values in it."""

    png: bytes
    csv: str


class PlotKind(Kind):
    """A kind of plot."""

    @abstractmethod
    def plot(self, inputs: Inputs) -> Plot:
        """From the files of `inputs`. Raises `UserError` for one that is not what it should be."""


def by_name(groups: Sequence[InputGroup], paths: Sequence[Path]) -> Inputs:
    """The files of a command line, group by group.

    Raises `UserError` where their number is not that of the groups.
    """
    if len(paths) != (expected := sum(group.count for group in groups)):
        raise UserError(f"--inputs names {len(paths)} files, but the settings speak of {expected}")
    found, start = {}, 0
    for group in groups:
        found[group.name] = list(paths[start : start + group.count])
        start += group.count
    return found
