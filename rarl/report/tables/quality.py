"""Distance, precision, recall, KID and cost of methods side by side."""

from collections.abc import Sequence

import pandas as pd

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.distances import common_protocol
from rarl.report.frame import gather, observe, runs, summarise, with_summary
from rarl.report.inputs import cells, finetunings_of_cells, logs_behind, plots_beside
from rarl.report.kind import Inputs
from rarl.report.logs import Selected, read_selected
from rarl.report.measured import iteration_notes, measured, pivot, spread_of, with_paper
from rarl.report.measured_kind import MeasuredKind
from rarl.report.qualities import observe_quality
from rarl.report.table import Cell, Table
from rarl.results.distances import Distances
from rarl.results.quality import Quality

HEADINGS = {  # metric: heading
    "distance": "distance",
    "precision": "precision",
    "recall": "recall",
    "kid": "KID",
    "seconds": "seconds a picture",
}
DIGITS = {"distance": 2, "precision": 3, "recall": 3, "kid": 3, "seconds": 4}


class Kind(MeasuredKind):
    """Rows are methods of one experiment, columns the metrics."""

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return {
            "distances": cells(config, name, files.distance),
            "qualities": cells(config, name, files.quality),
            "finetunings": finetunings_of_cells(config, files, name),
            "logs": logs_behind(config, files, name),
        }

    @classmethod
    def beside(cls, config: Config, files: Layout, name: str) -> list[str]:
        return plots_beside(config, files, name)

    def table(self, inputs: Inputs) -> Table:
        found = self.made_of(
            [Distances.read(path) for path in inputs["distances"]],
            [Quality.read(path) for path in inputs["qualities"]],
            [read_selected(path) for path in inputs["finetunings"]],
        )
        return found.with_notes(run_warnings.lines(inputs["logs"]))

    def made_of(
        self,
        distances: Sequence[Distances],
        qualities: Sequence[Quality],
        selected: Sequence[Selected],
    ) -> Table:
        """One result of each stage for each method."""
        protocol = common_protocol(distances, self.title)
        parts = []
        for run, distance, quality, kept in zip(
            runs(self), distances, qualities, selected, strict=True
        ):
            parts.append(observe_quality(run, distance, quality, kept))
            seconds = [quality.seconds_per_image]
            parts.append(observe(run, "seconds", "s an image", seconds, protocol=quality.device))
        observations = gather(parts)
        summary = with_paper(summarise(observations, "sampling_seed"), self)
        shown = pivot(summary, _cell, rows=["method"], columns="metric")
        devices = sorted({quality.device for quality in qualities})
        notes = [
            f"- distance: {protocol.line()}",
            "- precision, recall (Kynkäänniemi et al. 2019), KID: on the same features, against "
            "reconstructions of training pictures; higher, higher, lower is better",
            f"- seconds for each picture that is kept, on {' and '.join(devices)}",
            f"- mean ± standard deviation over {len(distances[0].seeds)} sampling seeds",
            *iteration_notes(observations, self),
            *self.notes,
        ]
        return Table(
            self.title,
            "Method",
            shown.labelled([row.label for row in self.rows], list(HEADINGS.values())),
            with_summary(observations, summary),
            notes,
        )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), DIGITS[line["metric"]], start=line["start"])
