"""What the kinds of table with distances and qualities share."""

from abc import abstractmethod
from collections.abc import Sequence

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.distance_kind import DistanceKind
from rarl.report.distances import Measured, read_distances
from rarl.report.inputs import qualities
from rarl.report.kind import Inputs
from rarl.report.logs import Selected
from rarl.report.table import Table
from rarl.results.quality import Quality


class QualityKind(DistanceKind):
    """A kind of table of distances, precision, recall and KID."""

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return super().inputs(config, files, name) | {"qualities": qualities(config, files, name)}

    def table(self, inputs: Inputs) -> Table:
        found = self.made_of(
            read_distances(inputs["distances"], self),
            [Quality.read(path) for path in inputs["qualities"]],
            self.selected(inputs),
        )
        return found.with_notes(run_warnings.lines(inputs["logs"]))

    @abstractmethod
    def made_of(
        self,
        distances: Sequence[Measured],
        qualities: Sequence[Quality],
        selected: Sequence[Selected | None],
    ) -> Table:
        """One result of each stage for each of the runs.

        Raises `UserError` when the distances of an experiment were not computed alike.
        """
