"""What the kinds of tables with distances of samples share: a last row of real images."""

from typing import Self

from rarl.config import Config
from rarl.config.stages.report import REAL, Row
from rarl.layout import Layout
from rarl.report.inputs import distances, finetunings_of_cells, logs_behind
from rarl.report.kind import Inputs
from rarl.report.logs import Selected, read_selected
from rarl.report.measured_kind import MeasuredKind


class DistanceKind(MeasuredKind):
    """Rows are methods, and real images in the place of samples."""

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = super().from_config(config, name)
        real = Row(name=REAL, label="Real images")
        return of.model_copy(update={"rows": (*of.rows, real), "paper": (*of.paper, None)})

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return {
            "distances": distances(config, files, name),
            "finetunings": finetunings_of_cells(config, files, name),
            "logs": logs_behind(config, files, name),
        }

    def selected(self, inputs: Inputs) -> list[Selected | None]:
        """What was selected in each run; nothing for real images."""
        found = [read_selected(path) for path in inputs["finetunings"]]
        count = sum(len(column.training_seeds) for column in self.columns)
        return [*found, *[None] * (count * len(self.rows) - len(found))]
