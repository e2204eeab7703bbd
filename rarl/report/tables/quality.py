"""Distance, precision, recall, KID and cost of methods side by side."""

from collections.abc import Sequence

import pandas as pd

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.distance_kind import DistanceKind
from rarl.report.distances import Measured, protocol_notes, protocols_of, read_distances
from rarl.report.frame import gather, observe, summarise, with_summary
from rarl.report.gains import gain_notes, paired
from rarl.report.inputs import plots_beside, qualities
from rarl.report.kind import Inputs
from rarl.report.logs import Selected
from rarl.report.measured import (
    by_extractor,
    iteration_notes,
    measured,
    pivot,
    spread_of,
    with_paper,
)
from rarl.report.qualities import observe_quality
from rarl.report.table import Cell, Table
from rarl.results.quality import Quality

HEADINGS = {  # metric: heading
    "distance": "distance",
    "precision": "precision",
    "recall": "recall",
    "kid": "KID",
    "seconds": "seconds an image",
}
DIGITS = {"distance": 2, "precision": 3, "recall": 3, "kid": 3, "seconds": 4}


class Kind(DistanceKind):
    """Rows are methods of one experiment, columns the metrics."""

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return super().inputs(config, files, name) | {"qualities": qualities(config, files, name)}

    @classmethod
    def beside(cls, config: Config, files: Layout, name: str) -> list[str]:
        return plots_beside(config, files, name)

    def table(self, inputs: Inputs) -> Table:
        found = self.made_of(
            read_distances(inputs["distances"], self),
            [Quality.read(path) for path in inputs["qualities"]],
            self.selected(inputs),
        )
        return found.with_notes(run_warnings.lines(inputs["logs"]))

    def made_of(
        self,
        distances: Sequence[Measured],
        qualities: Sequence[Quality],
        selected: Sequence[Selected | None],
    ) -> Table:
        """One result of each stage for each run."""
        [column] = self.columns
        protocols = protocols_of(column, distances, self.title)
        parts = []
        for of, quality, kept in zip(distances, qualities, selected, strict=True):
            parts.append(observe_quality(of, quality, kept))
            if quality.seconds_per_image is not None and quality.device is not None:
                seconds = [quality.seconds_per_image]
                parts.append(
                    observe(of.run, "seconds", "s an image", seconds, protocol=quality.device)
                )
        observations = gather(parts)
        gains = paired(observations, self.rows[0].name)
        summary = with_paper(summarise(observations, "sampling_seed"), self)
        shown = pivot(summary, _cell, rows=["method"], columns=["metric", "extractor"])
        devices = sorted({quality.device for quality in qualities if quality.device is not None})
        first = protocols[0]
        alone = f" of {first.extractor}" if len(protocols) > 1 else ""
        notes = [
            *protocol_notes(column, distances, "distance"),
            f"- precision, recall (Kynkäänniemi et al. 2019), KID: on the same features{alone}, "
            "against reconstructions of training images; higher, higher, lower is better",
            f"- seconds for each image that is kept, on {' and '.join(devices)}",
            f"- mean ± standard deviation over {len(distances[0].results[0].seeds)} sampling seeds",
            *gain_notes(gains, self, column),
            *iteration_notes(observations, self),
            *self.notes,
        ]
        headings: dict[tuple[str, str], tuple[str, str | None]] = {}
        for metric, heading in HEADINGS.items():
            if metric == "distance":
                for number, protocol in enumerate(protocols):
                    named = f"{heading}, {protocol.label}" if len(protocols) > 1 else heading
                    headings[metric, protocol.extractor] = named, None if number else heading
            else:
                headings[metric, "" if metric == "seconds" else first.extractor] = heading, heading
        return Table(
            self.title,
            "Method",
            by_extractor(shown, [row.label for row in self.rows], headings),
            with_summary(
                gather([observations, gains]),
                gather([summary, summarise(gains, "sampling_seed")]),
            ),
            notes,
        )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), DIGITS[line["metric"]], start=line["start"])
