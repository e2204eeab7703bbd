"""Moments to Frechet distances in a file: what the stages that tell distances share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rarl.metrics.frechet import frechet_distance
from rarl.metrics.moments import Moments, SavedMoments
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_json
from rarl.stages._mean_std import mean_std

PROTOCOL = ("label", "extractor", "weights_sha256", "resize")  # equal on both sides


def require_alike(path: Path, made: dict[str, Any], reference: Path, target: SavedMoments) -> None:
    """Raises `UserError` when what `path` holds was not computed as the reference was."""
    for key in PROTOCOL:
        if made[key] != target.metadata[key]:
            raise UserError(
                f"{path}: its {key} {made[key]!r} is not that of {reference}, "
                f"{target.metadata[key]!r}; delete both and run again"
            )


def compare(
    target: SavedMoments,
    draws: Sequence[Moments | SavedMoments],
    output: Path,
    made: dict[str, Any],
) -> None:
    """Writes the distances of several draws to one reference, and `made` beside them."""
    distances = [frechet_distance(draw, target) for draw in draws]
    write_json(
        output,
        {key: target.metadata[key] for key in PROTOCOL}
        | {
            "reference": target.metadata["reference"],
            "count_reference": target.count,
            "count_samples": draws[0].count,
            "distances": distances,
            **mean_std("", distances),
            "warning": _warning(min(draws[0].count, target.count), len(target.mean)),
        }
        | made,
    )


def _warning(count: int, dimension: int) -> str | None:
    if count >= dimension:
        return None
    return (
        f"{count} pictures for {dimension} features: the covariance is singular and the distance "
        "strongly biased; compare only at equal counts"
    )
