"""Frechet distances of reconstructions to the images (paper's Table 12)."""

from typing import Self

from rarl.config import Config, ReconstructionTable
from rarl.config.stages.report import Row
from rarl.layout import Layout, train_log
from rarl.report import codebook_use, run_warnings
from rarl.report.distance_tables import distance_table
from rarl.report.distances import read_distances
from rarl.report.kind import Inputs
from rarl.report.measured_kind import MeasuredKind, columns_of
from rarl.report.table import Table


class Kind(MeasuredKind):
    """One row; columns are experiments and, in the Markdown, extractors."""

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = config.tables[name]
        assert isinstance(of, ReconstructionTable)  # by `rarl.kinds`
        return cls(
            title=of.title,
            columns=columns_of(config, of),
            rows=(Row(name="reconstructions", label="Reconstructions"),),
            paper=(of.paper,),
            notes=(),
        )

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        experiments = config.tables[name].experiments
        return {
            "distances": [
                files.reconstruction.format(experiment=of, extractor=extractor)
                for of in experiments
                for extractor in config.experiments[of].evaluation.extractors
            ],
            "logs": [train_log(files.vqvae).format(experiment=of) for of in experiments],
        }

    def table(self, inputs: Inputs) -> Table:
        distances = read_distances(inputs["distances"], self)
        found = distance_table(distances, [None] * len(distances), self)
        headings = [column.heading for column in self.columns]
        found = found.with_notes(codebook_use.lines(headings, inputs["logs"]))
        return found.with_notes(run_warnings.lines(inputs["logs"]))
