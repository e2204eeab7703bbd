"""The tidy frame behind a measured table: one row for each measurement. Imports no torch."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from rarl.config.stages.report import Measurements, Run
from rarl.report.logs import Selected

LEVEL = 0.95  # of confidence intervals
CELL = ["experiment", "method", "extractor", "metric"]  # what one cell of a table is of
COLUMNS = [
    *("experiment", "method", "training_seed", "sampling_seed", "extractor", "metric", "value"),
    *("unit", "iteration", "iterations", "protocol"),
]
COUNTS = ["training_seed", "sampling_seed", "iteration", "iterations"]
Seeds = Literal["training_seed", "sampling_seed"]


def runs(settings: Measurements) -> tuple[Run, ...]:
    """Row by row, column by column, seed by seed: the order of a table's files."""
    return tuple(
        Run(experiment=column.name, method=row.name, training_seed=seed)
        for row in settings.rows
        for column in settings.columns
        for seed in column.training_seeds
    )


def observe(
    run: Run,
    metric: str,
    unit: str,
    values: Sequence[float],
    *,
    sampling_seeds: Sequence[int] | None = None,
    extractor: str = "",
    protocol: str = "",
    selected: Selected | None = None,
) -> pd.DataFrame:
    """Measurements of one metric of one run: a row for each value, `COLUMNS` as its columns."""
    rows = pd.DataFrame({"value": [float(value) for value in values]})
    rows = rows.assign(
        experiment=run.experiment,
        method=run.method,
        training_seed=run.training_seed,
        sampling_seed=list(sampling_seeds) if sampling_seeds else None,
        extractor=extractor,
        metric=metric,
        unit=unit,
        iteration=selected.iteration if selected else None,
        iterations=selected.iterations if selected else None,
        protocol=protocol,
    )
    return tidy(rows)


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with all of `COLUMNS`, in their order; integers that a row lacks are NA."""
    return rows.reindex(columns=COLUMNS).astype(dict.fromkeys(COUNTS, "Int64"))


def gather(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The measurements of several runs or metrics as one frame."""
    return pd.concat(parts, ignore_index=True)


def summarise(observations: pd.DataFrame, over: Seeds) -> pd.DataFrame:
    """Mean, deviation, count and interval of each cell, by `CELL`, and whether it shows a start.

    `over` training seeds: of the means over the sampling seeds of each. The deviation is that of a
    sample (n - 1). `interval` is half of the confidence interval at `LEVEL` of Student's t
    (Student 1908, "The probable error of a mean"); both are NaN for a single value.
    """
    values = observations if over == "sampling_seed" else per_training_seed(observations)
    cells = values.groupby(CELL, sort=False)["value"]
    summary = cells.agg(mean="mean", deviation="std", count="count")
    summary["interval"] = half_interval(summary["deviation"], summary["count"])
    of_start = observations["iteration"].eq(0).fillna(value=False)
    summary["start"] = of_start.groupby([observations[name] for name in CELL], sort=False).all()
    return summary.reset_index()


def per_training_seed(observations: pd.DataFrame) -> pd.DataFrame:
    """The means over the sampling seeds of each run."""
    by = [*CELL, "training_seed"]
    return observations.groupby(by, sort=False)["value"].mean().reset_index()


def half_interval(deviation: pd.Series, count: pd.Series) -> pd.Series:
    """Half of the interval of a mean; NaN where there is one value."""
    quantile = stdtrit((count - 1).where(count > 1), (1 + LEVEL) / 2)
    return quantile * deviation / np.sqrt(count)


def with_summary(observations: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """The long form of a table: each measurement beside what its cell shows."""
    return observations.merge(summary, on=CELL, how="left", sort=False)
