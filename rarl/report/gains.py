"""How much better than the first method of a table the others are. Imports no torch."""

import numpy as np
import pandas as pd

from rarl.config.stages.report import REAL, Column, Measurements
from rarl.report.frame import per_training_seed, tidy

RUN = ["experiment", "method", "training_seed", "extractor"]
PAIR = ["experiment", "training_seed", "extractor"]


def paired(observations: pd.DataFrame, first: str) -> pd.DataFrame:
    """Each other method beside the first one, in pairs of the same training seed and extractor.

    `distance_decrease`: share of the first method's distance. `way_to_real`: share of the gap
    between the first method's distance and that of real images, which no generator can close
    wholly. Without a ratio where it is not finite for some seed: the first method's recall is 0.
    """
    means = per_training_seed(observations).pivot(index=RUN, columns="metric", values="value")
    means = means.reindex(columns=list(dict.fromkeys([*means, "distance", "recall", "val_nll"])))
    baseline = means.xs(first, level="method").add_suffix("_first")
    is_real = means.index.get_level_values("method") == REAL
    real = means[is_real].droplevel("method")["distance"].rename("real")
    beside = means.join(baseline, on=PAIR).join(real, on=PAIR)
    gap = beside["distance_first"] - beside["real"]
    ratios = pd.DataFrame(
        {
            "distance_decrease": 1 - beside["distance"] / beside["distance_first"],
            "recall_ratio": beside["recall"] / beside["recall_first"],
            "nll_increase": beside["val_nll"] / beside["val_nll_first"] - 1,
            "way_to_real": ((beside["distance_first"] - beside["distance"]) / gap).mask(is_real),
        }
    )
    rows = ratios.drop(index=first, level="method").melt(var_name="metric", ignore_index=False)
    rows = rows.reset_index()
    cells = [rows[name] for name in ("experiment", "method", "extractor", "metric")]
    finite = np.isfinite(rows["value"]).groupby(cells)
    rows = rows[finite.transform("all")]
    return tidy(rows.assign(unit="ratio", protocol=f"paired with {first}"))


def gain_notes(gains: pd.DataFrame, settings: Measurements, column: Column) -> list[str]:
    """Lines of Markdown: each method of a column beside the first, by extractor."""
    labels = {row.name: row.label for row in settings.rows}
    own = gains[gains["experiment"] == column.name]
    notes = []
    for extractor in column.extractors:
        values = own[own["extractor"] == extractor].set_index(["method", "metric"])["value"]
        texts = []
        for row in settings.rows[1:]:
            if row.name != REAL and (row.name, "distance_decrease") in values:
                less = f"{labels[row.name]} {0.0 - values[row.name, 'distance_decrease']:+.1%}"
                way = values.get((row.name, "way_to_real"))
                texts.append(
                    less if way is None else f"{less} ({way:.0%} of the way to real images)"
                )
        if texts:
            where = ", ".join(part for part in (column.heading, extractor) if part)
            notes.append(f"- {where}: against {settings.rows[0].label}, {'; '.join(texts)}")
    return notes
