"""Methods over training seeds: is one better than another, whatever the seed?"""

from collections.abc import Sequence

import pandas as pd

from rarl.config.stages.report import REAL
from rarl.report.distances import Measured, protocol_notes, protocols_of
from rarl.report.frame import LEVEL, gather, observe, summarise, with_summary
from rarl.report.gains import paired
from rarl.report.logs import Selected
from rarl.report.measured import by_extractor, iteration_notes, measured, pivot, with_paper
from rarl.report.qualities import observe_quality
from rarl.report.quality_kind import QualityKind
from rarl.report.table import Cell, Table
from rarl.results.distances import Protocol
from rarl.results.quality import Quality

PAIR = ["experiment", "extractor"]
HEADINGS = {  # metric: heading
    "distance": "distance",
    "distance_decrease": "less than {first}",
    "interval_below": "interval below {first}'s",
    "precision": "precision",
    "recall": "recall",
    "recall_ratio": "of {first}'s",
    "val_nll": "NLL",
    "nll_increase": "more than {first}",
    "way_to_real": "way to real images",
}
DIGITS = {"distance": 1, "precision": 3, "recall": 3, "recall_ratio": 3, "val_nll": 4}


OF_DISTANCES = ("distance", "distance_decrease", "interval_below", "way_to_real")
OF_LOGS = ("val_nll", "nll_increase")  # on no features


class Kind(QualityKind):
    """Rows are the methods of each experiment, columns the metrics; the first method is the
    baseline."""

    def made_of(
        self,
        distances: Sequence[Measured],
        qualities: Sequence[Quality],
        selected: Sequence[Selected | None],
    ) -> Table:
        """One result of each stage for each of the runs.

        Raises `UserError` when the distances of an experiment were not computed alike.
        """
        parts = []
        for of, quality, kept in zip(distances, qualities, selected, strict=True):
            parts.append(observe_quality(of, quality, kept))
            if kept is not None:
                nll = [kept.val_nll]
                parts.append(observe(of.run, "val_nll", "nats a code", nll, selected=kept))
        observations = gather(parts)
        first = self.rows[0]
        observations = gather([observations, paired(observations, first.name)])
        summary = with_paper(summarise(observations, "training_seed"), self)

        by = {column.name: number for number, column in enumerate(self.columns)}
        ordered = summary.sort_values("experiment", key=lambda names: names.map(by), kind="stable")
        ordered = gather([ordered, _intervals_below(ordered, first.name)])
        cells = pivot(
            ordered, _cell, rows=["experiment", "method"], columns=["metric", "extractor"]
        )
        rows = [f"{c.heading}: {row.label}" for c in self.columns for row in self.rows]
        protocols = [protocols_of(of, distances, of.heading) for of in self.columns]
        return Table(
            self.title,
            "Experiment: Method",
            by_extractor(cells, rows, _headings(protocols, first.label)),
            with_summary(observations, summary),
            [*self._notes(distances), *iteration_notes(observations, self), *self.notes],
        )

    def _notes(self, distances: Sequence[Measured]) -> list[str]:
        seeds = self.columns[0].training_seeds
        sampling = len(distances[0].results[0].seeds)
        return [
            *(line for of in self.columns for line in protocol_notes(of, distances, of.heading)),
            f"- mean ± half of the {LEVEL:.0%} interval (Student's t) over {len(seeds)} training "
            f"seeds, {', '.join(map(str, seeds))}: with each, all models are trained anew",
            f"- a training seed's figure is the mean over {sampling} sampling seeds",
            f"- beside {self.rows[0].label}: pairs of the same training seed; way to real images: "
            "share of the gap between its distance and that of real images",
            "- NLL: of the validation images' codes, nats a code",
        ]


def _headings(
    protocols: Sequence[Sequence[Protocol]], first: str
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Of every column: for people and for the CSV, which has those of the first extractors."""
    of_first = {of[0].extractor for of in protocols}
    labels = {protocol.extractor: protocol.label for of in protocols for protocol in of}
    found: dict[tuple[str, str], tuple[str, str | None]] = {}
    for metric, text in HEADINGS.items():
        heading = text.format(first=first)
        if metric in OF_LOGS:
            found[metric, ""] = heading, heading
        for extractor, label in labels.items():
            if metric in OF_DISTANCES:
                shown = f"{heading}, {label}" if len(labels) > 1 else heading
                found[metric, extractor] = shown, heading if extractor in of_first else None
            elif metric not in OF_LOGS and extractor in of_first:
                found[metric, extractor] = heading, heading
    return found


def _intervals_below(summary: pd.DataFrame, first: str) -> pd.DataFrame:
    """Lines on whether a method's whole interval of the distance lies below the first method's."""
    distances = summary[summary["metric"] == "distance"]
    ends = distances.assign(
        low=distances["mean"] - distances["interval"],
        high=distances["mean"] + distances["interval"],
    )
    low = ends[ends["method"] == first][[*PAIR, "low"]].rename(columns={"low": "low_first"})
    others = ends[~ends["method"].isin([first, REAL])].merge(low, on=PAIR, how="left")
    below = others["high"] < others["low_first"]
    return others.assign(metric="interval_below", mean=below.astype(float))


def _cell(line: pd.Series) -> Cell:
    mean, half, metric = line["mean"], line["interval"], line["metric"]
    if metric == "interval_below":
        return Cell("true", "yes") if mean else Cell("false", "no")
    if metric in DIGITS:
        return measured(mean, half, DIGITS[metric], start=line["start"] and metric == "distance")
    return Cell(f"{mean:.4f}", f"{mean:+.1%} ± {half:.1%}")
