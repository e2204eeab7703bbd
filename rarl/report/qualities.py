"""Precision, recall and KID as rows of the tidy frame. Imports no torch."""

import pandas as pd

from rarl.report.distances import Measured
from rarl.report.frame import gather, observe
from rarl.report.logs import Selected
from rarl.results.quality import Quality

UNITS = {"precision": "share", "recall": "share", "kid": "squared MMD"}


def observe_quality(of: Measured, quality: Quality, selected: Selected | None) -> pd.DataFrame:
    """Distances of each sampling seed, and what was measured on the first extractor's features."""
    first = of.results[0]
    return gather(
        [
            of.observe(selected),
            *(
                observe(
                    of.run,
                    metric,
                    unit,
                    getattr(quality, metric),
                    sampling_seeds=first.seeds,
                    extractor=first.protocol.extractor,
                    protocol=first.protocol.line(),
                    selected=selected,
                )
                for metric, unit in UNITS.items()
            ),
        ]
    )
