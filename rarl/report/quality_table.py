"""Distance, precision, recall, KID and cost of methods side by side. Imports no torch."""

from collections.abc import Sequence
from typing import Any

from rarl.report.distances import Distance, common_protocol
from rarl.report.sheet import Cell, Sheet, measured
from rarl.stage_settings import RowsSettings

HEADINGS = ("distance", "precision", "recall", "KID", "seconds a picture")


def sheet(
    distances: Sequence[Distance],
    qualities: Sequence[dict[str, Any]],
    settings: RowsSettings,
) -> Sheet:
    """One distance and one result of the stage `quality` for each method."""
    protocol = common_protocol(list(distances), settings.title)
    rows = [
        (label, [measured(distance.mean, distance.std, None), *_cells(quality)])
        for label, distance, quality in zip(settings.labels, distances, qualities, strict=True)
    ]
    devices = sorted({quality["device"] for quality in qualities})
    notes = [
        f"- distance: {protocol.line()}",
        "- precision, recall (Kynkäänniemi et al. 2019), KID: on the same features, against "
        "reconstructions of training pictures; higher, higher, lower is better",
        f"- seconds for each picture that is kept, on {' and '.join(devices)}",
        f"- mean ± standard deviation over {len(distances[0].seeds)} sampling seeds",
    ]
    return Sheet(settings.title, "Method", HEADINGS, rows, notes)


def _cells(quality: dict[str, Any]) -> list[Cell]:
    cells = [
        measured(quality[f"{name}_mean"], quality[f"{name}_std"], None, digits)
        for name, digits in (("precision", 3), ("recall", 3), ("kid", 3))
    ]
    return [*cells, measured(quality["seconds_per_picture"], None, None, 4)]
