"""Moments to Frechet distances in a file: what the stages that tell distances share."""

from pathlib import Path
from typing import Any

from rarl.metrics.moments import SavedMoments
from rarl.results.distances import Protocol
from rarl.runtime.errors import UserError

PROTOCOL = ("label", "extractor", "weights_sha256", "resize")  # equal on both sides


def require_alike(path: Path, made: dict[str, Any], reference: Path, target: SavedMoments) -> None:
    """Raises `UserError` when what `path` holds was not computed as the reference was."""
    for key in PROTOCOL:
        if made[key] != target.metadata[key]:
            raise UserError(
                f"{path}: its {key} {made[key]!r} is not that of {reference}, "
                f"{target.metadata[key]!r}; delete both and run again"
            )


def protocol_of(target: SavedMoments, count_samples: int) -> Protocol:
    """What the distances of so many images to a reference depend on."""
    return Protocol(
        **{key: target.metadata[key] for key in PROTOCOL},
        reference=target.metadata["reference"],
        count_reference=target.count,
        count_samples=count_samples,
    )


def warning(count: int, dimension: int) -> str | None:
    """What a reader must know about a distance of so few images; None where nothing."""
    if count >= dimension:
        return None
    return (
        f"{count} images for {dimension} features: the covariance is singular and the distance "
        "strongly biased; compare only at equal counts"
    )
