"""Frechet distances of methods in experiments (paper's Tables 1, 2 and 3)."""

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.distance_kind import DistanceKind
from rarl.report.distance_tables import distance_table
from rarl.report.distances import read_distances
from rarl.report.inputs import plots_beside
from rarl.report.kind import Inputs
from rarl.report.table import Table


class Kind(DistanceKind):
    """Columns are experiments and, in the Markdown, extractors."""

    @classmethod
    def beside(cls, config: Config, files: Layout, name: str) -> list[str]:
        return plots_beside(config, files, name)

    def table(self, inputs: Inputs) -> Table:
        found = read_distances(inputs["distances"], self)
        table = distance_table(found, self.selected(inputs), self)
        return table.with_notes(run_warnings.lines(inputs["logs"]))
