"""NLLs of the oracle experiment (paper's Table 4 and its text). Imports no torch."""

from collections.abc import Sequence
from typing import Any

from rarl.report.sheet import Sheet, measured
from rarl.stage_settings import RowsSettings

HEADINGS = ("NLL_oracle", "NLL_test")


def sheet(results: Sequence[dict[str, Any]], settings: RowsSettings) -> Sheet:
    """One result of the stage `nll` for each method."""
    rows = []
    for label, of in zip(settings.labels, results, strict=True):
        cells = [measured(of["nll_oracle_mean"], of["nll_oracle_std"], None, 4)]
        rows.append((label, [*cells, measured(of["nll_test"], None, None, 4)]))
    first = results[0]
    notes = [
        f"- NLL_oracle: the oracle's of {first['count_samples']:,} code grids that the method "
        f"draws, {first['unit']}, over {len(first['nll_oracle'])} sampling seeds; of its own "
        f"draws the oracle's is {first['nll_oracle_of_its_own']:.4f}",
        f"- NLL_test: the method's of {first['count_val']:,} held-out grids of the oracle",
    ]
    return Sheet(settings.title, "Method", HEADINGS, rows, notes)
