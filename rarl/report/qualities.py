"""Distance, precision, recall and KID as rows of the tidy frame. Imports no torch."""

import pandas as pd

from rarl.config.stages.report import Run
from rarl.report.distances import observe_distances
from rarl.report.frame import gather, observe
from rarl.report.logs import Selected
from rarl.results.distances import Distances
from rarl.results.quality import Quality

UNITS = {"precision": "share", "recall": "share", "kid": "squared MMD"}


def observe_quality(
    run: Run, distance: Distances, quality: Quality, selected: Selected
) -> pd.DataFrame:
    """Distance, precision, recall and KID of each sampling seed, all on the same features."""
    return gather(
        [
            observe_distances(run, distance, selected),
            *(
                observe(
                    run,
                    metric,
                    unit,
                    getattr(quality, metric),
                    sampling_seeds=distance.seeds,
                    extractor=distance.protocol.extractor,
                    protocol=distance.protocol.line(),
                    selected=selected,
                )
                for metric, unit in UNITS.items()
            ),
        ]
    )
