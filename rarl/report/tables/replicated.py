"""Methods over training seeds: is one better than another, whatever the seed?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.distances import common_protocol
from rarl.report.frame import (
    LEVEL,
    gather,
    observe,
    per_training_seed,
    runs,
    summarise,
    tidy,
    with_summary,
)
from rarl.report.inputs import cells, finetunings_of_cells, logs_behind
from rarl.report.kind import Inputs
from rarl.report.logs import Selected, read_selected
from rarl.report.measured import iteration_notes, measured, pivot, with_paper
from rarl.report.measured_kind import MeasuredKind
from rarl.report.qualities import observe_quality
from rarl.report.table import Cell, Cells, Table
from rarl.results.distances import Distances
from rarl.results.quality import Quality

HEADINGS = {  # metric: heading
    "distance": "distance",
    "distance_decrease": "less than {first}",
    "interval_below": "interval below {first}'s",
    "precision": "precision",
    "recall": "recall",
    "recall_ratio": "of {first}'s",
    "val_nll": "NLL",
    "nll_increase": "more than {first}",
}
DIGITS = {"distance": 1, "precision": 3, "recall": 3, "recall_ratio": 3, "val_nll": 4}


class Kind(MeasuredKind):
    """Rows are the methods of each experiment, columns the metrics; the first method is the
    baseline."""

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return {
            "distances": cells(config, name, files.distance),
            "qualities": cells(config, name, files.quality),
            "finetunings": finetunings_of_cells(config, files, name),
            "logs": logs_behind(config, files, name),
        }

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
        """One result of each stage for each of the runs.

        Raises `UserError` when the distances of an experiment were not computed alike.
        """
        notes = []
        for column in self.columns:
            of = [
                d
                for d, run in zip(distances, runs(self), strict=True)
                if run.experiment == column.name
            ]
            notes.append(f"- {column.heading}: {common_protocol(of, column.heading).line()}")
        parts = []
        for run, distance, quality, kept in zip(
            runs(self), distances, qualities, selected, strict=True
        ):
            parts.append(observe_quality(run, distance, quality, kept))
            parts.append(observe(run, "val_nll", "nats a code", [kept.val_nll], selected=kept))
        observations = gather(parts)
        first = self.rows[0]
        observations = gather([observations, paired(observations, first.name)])
        summary = with_paper(summarise(observations, "training_seed"), self)

        by = {column.name: number for number, column in enumerate(self.columns)}
        ordered = summary.sort_values("experiment", key=lambda names: names.map(by), kind="stable")
        ordered = gather([ordered, _intervals_below(ordered, first.name)])
        cells = pivot(ordered, _cell, rows=["experiment", "method"], columns="metric")
        cells = Cells(*(part.reindex(columns=list(HEADINGS), fill_value="") for part in cells))
        seeds = self.columns[0].training_seeds
        notes += [
            f"- mean ± half of the {LEVEL:.0%} interval (Student's t) over {len(seeds)} training "
            f"seeds, {', '.join(map(str, seeds))}: with each, all models are trained anew",
            f"- a training seed's figure is the mean over {len(distances[0].seeds)} sampling seeds",
            f"- beside {first.label}: pairs of the same training seed",
            "- NLL: of the validation pictures' codes, nats a code",
            *iteration_notes(observations, self),
            *self.notes,
        ]
        rows = [f"{c.heading}: {row.label}" for c in self.columns for row in self.rows]
        headings = [heading.format(first=first.label) for heading in HEADINGS.values()]
        return Table(
            self.title,
            "Experiment: Method",
            cells.labelled(rows, headings),
            with_summary(observations, summary),
            notes,
        )


def paired(observations: pd.DataFrame, first: str) -> pd.DataFrame:
    """Each other method beside the first one, in pairs of the same training seed.

    Without a ratio of recalls where the first method's is 0 for some seed.
    """
    by = ["experiment", "method", "training_seed"]
    means = per_training_seed(observations).pivot(index=by, columns="metric", values="value")
    baseline = means.xs(first, level="method").add_suffix("_first")
    beside = means.join(baseline, on=["experiment", "training_seed"])
    ratios = pd.DataFrame(
        {
            "distance_decrease": 1 - beside["distance"] / beside["distance_first"],
            "recall_ratio": beside["recall"] / beside["recall_first"],
            "nll_increase": beside["val_nll"] / beside["val_nll_first"] - 1,
        }
    )
    rows = ratios.drop(index=first, level="method").melt(var_name="metric", ignore_index=False)
    rows = rows.reset_index()
    finite = np.isfinite(rows["value"]).groupby([rows[name] for name in (*by[:2], "metric")])
    rows = rows[finite.transform("all")]
    return tidy(rows.assign(extractor="", unit="ratio", protocol=f"paired with {first}"))


def _intervals_below(summary: pd.DataFrame, first: str) -> pd.DataFrame:
    """Lines on whether a method's whole interval of the distance lies below the first method's."""
    distances = summary[summary["metric"] == "distance"]
    ends = distances.assign(
        low=distances["mean"] - distances["interval"],
        high=distances["mean"] + distances["interval"],
    )
    baseline = ends[ends["method"] == first].set_index("experiment")["low"]
    others = ends[ends["method"] != first]
    below = others["high"] < others["experiment"].map(baseline)
    return others.assign(metric="interval_below", mean=below.astype(float))


def _cell(line: pd.Series) -> Cell:
    mean, half, metric = line["mean"], line["interval"], line["metric"]
    if metric == "interval_below":
        return Cell("true", "yes") if mean else Cell("false", "no")
    if metric in DIGITS:
        return measured(mean, half, DIGITS[metric], start=line["start"] and metric == "distance")
    return Cell(f"{mean:.4f}", f"{mean:+.1%} ± {half:.1%}")
