"""Methods over training seeds: is one better than another, whatever the seed? Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from scipy.stats import t

from rarl.report.curves import read as read_log
from rarl.report.distances import Distance, common_protocol
from rarl.report.distances import read as read_distance
from rarl.report.sheet import Cell, Sheet, in_rows
from rarl.runtime.errors import UserError
from rarl.runtime.files import read_json
from rarl.stage_settings import ReplicatedSettings

LEVEL = 0.95
HEADINGS = (
    *("distance", "less than {first}", "interval below {first}'s"),
    *("precision", "recall", "of {first}'s", "NLL", "more than {first}"),
)
BLANK = Cell("", "")


@dataclass(frozen=True)
class Run:
    """A method after the training with one seed; figures are means over the sampling seeds."""

    distance: Distance
    precision: float
    recall: float
    val_nll: float  # nats a code, of the weights that were kept


@dataclass(frozen=True)
class Estimate:
    """A mean over training seeds, and half its confidence interval at `LEVEL`.

    Student 1908, "The probable error of a mean": the seeds are a sample of a normal distribution.
    """

    mean: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """Of one figure for each seed, at least two."""
        count = len(values)
        quantile = float(t.ppf((1 + LEVEL) / 2, count - 1))
        return cls(fmean(values), quantile * stdev(values) / sqrt(count))

    def below(self, other: "Estimate") -> bool:
        """Its whole interval lies below that of another."""
        return self.mean + self.half < other.mean - other.half

    def cell(self, digits: int) -> Cell:
        return Cell(
            f"{self.mean:.{digits + 2}f}", f"{self.mean:.{digits}f} ± {self.half:.{digits}f}"
        )

    def percent(self) -> Cell:
        """Of a share."""
        return Cell(f"{self.mean:.4f}", f"{self.mean:+.1%} ± {self.half:.1%}")


def read(distance: Path, quality: Path, finetuning: Path) -> Run:
    """From the results of the stages `distance`, `quality` and `finetune`. Raises `UserError`."""
    found = read_json(quality)
    checks = [line for line in read_log(finetuning) if "distance" in line and "val_nll" in line]
    if not checks:
        raise UserError(f"{finetuning}: holds no held-out distance; delete it and run again")
    kept = min(checks, key=lambda line: line["distance"])  # as fine-tuning chooses
    return Run(
        read_distance(distance), found["precision_mean"], found["recall_mean"], kept["val_nll"]
    )


def sheet(runs: Sequence[Run], settings: ReplicatedSettings) -> Sheet:
    """Runs method by method, within it experiment by experiment, within that seed by seed.

    Raises `UserError` when the distances of an experiment were not computed alike.
    """
    methods, seeds = len(settings.labels), len(settings.training_seeds)
    by_method = [in_rows(row, len(settings.headings)) for row in in_rows(runs, methods)]
    rows, notes = [], []
    for number, heading in enumerate(settings.headings):
        column = [row[number] for row in by_method]
        protocol = common_protocol([run.distance for of in column for run in of], heading)
        notes.append(f"- {heading}: {protocol.line()}")
        for label, of in zip(settings.labels, column, strict=True):
            rows.append((f"{heading}: {label}", _cells(of, column[0])))
    first, sampling = settings.labels[0], len(runs[0].distance.seeds)
    notes += [
        f"- mean ± half of the {LEVEL:.0%} interval (Student's t) over {seeds} training seeds, "
        f"{', '.join(map(str, settings.training_seeds))}: with each, all models are trained anew",
        f"- a training seed's figure is the mean over {sampling} sampling seeds",
        f"- beside {first}: pairs of the same training seed",
        "- NLL: of the validation pictures' codes, nats a code",
    ]
    headings = [heading.format(first=first) for heading in HEADINGS]
    return Sheet(settings.title, "Experiment: Method", headings, rows, notes)


def _cells(runs: Sequence[Run], first: Sequence[Run]) -> list[Cell]:
    """Of a method in an experiment, beside the first method there."""
    distance = _distance(runs)
    precision = Estimate.of([run.precision for run in runs]).cell(3)
    recall = Estimate.of([run.recall for run in runs]).cell(3)
    nll = Estimate.of([run.val_nll for run in runs]).cell(4)
    if runs is first:
        return [distance.cell(1), BLANK, BLANK, precision, recall, BLANK, nll, BLANK]
    pairs = list(zip(runs, first, strict=True))
    less = Estimate.of([1 - a.distance.mean / b.distance.mean for a, b in pairs])
    more = Estimate.of([a.val_nll / b.val_nll - 1 for a, b in pairs])
    apart = distance.below(_distance(first))
    share = BLANK
    if all(b.recall for _, b in pairs):
        share = Estimate.of([a.recall / b.recall for a, b in pairs]).cell(3)
    verdict = Cell(str(apart).lower(), "yes" if apart else "no")
    beside = less.percent(), verdict, precision, recall, share, nll, more.percent()
    return [distance.cell(1), *beside]


def _distance(runs: Sequence[Run]) -> Estimate:
    return Estimate.of([run.distance.mean for run in runs])
