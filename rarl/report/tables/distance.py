"""Frechet distances of methods in experiments (paper's Tables 1, 2 and 3)."""

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.distance_tables import distance_table
from rarl.report.inputs import cells, finetunings_of_cells, logs_behind, plots_beside
from rarl.report.kind import Inputs
from rarl.report.logs import read_selected
from rarl.report.measured_kind import MeasuredKind
from rarl.report.table import Table
from rarl.results.distances import Distances


class Kind(MeasuredKind):
    """Rows are methods, columns experiments."""

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return {
            "distances": cells(config, name, files.distance),
            "finetunings": finetunings_of_cells(config, files, name),
            "logs": logs_behind(config, files, name),
        }

    @classmethod
    def beside(cls, config: Config, files: Layout, name: str) -> list[str]:
        return plots_beside(config, files, name)

    def table(self, inputs: Inputs) -> Table:
        found = distance_table(
            [Distances.read(path) for path in inputs["distances"]],
            [read_selected(path) for path in inputs["finetunings"]],
            self,
        )
        return found.with_notes(run_warnings.lines(inputs["logs"]))
