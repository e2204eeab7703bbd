"""Stage `distance`: moments of samples and of the reference to Frechet distances."""

from pathlib import Path
from typing import Any

from rarl.metrics import moments
from rarl.metrics.frechet import frechet_distance
from rarl.runtime import provenance
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_json
from rarl.stage_settings import DistanceSettings
from rarl.stages._seeds import over_seeds

Settings = DistanceSettings
PROTOCOL = ("label", "extractor", "weights_sha256", "resize")  # equal on both sides


def run(settings: DistanceSettings, *, reference: Path, samples: list[Path], output: Path) -> None:
    """Compute the Frechet distance of each draw to the reference."""
    made = provenance.describe("distance", settings, reference=reference, samples=samples)
    compare(reference, samples, output, made)


def compare(reference: Path, samples: list[Path], output: Path, made: dict[str, Any]) -> None:
    """Writes the distances of several moments to one reference, and `made` beside them.

    Raises `UserError` when they were not computed alike.
    """
    target, draws = moments.load(reference), [moments.load(path) for path in samples]
    for path, draw in zip(samples, draws, strict=True):
        for key in PROTOCOL:
            if draw.metadata[key] != target.metadata[key]:
                raise UserError(
                    f"{path}: its {key} {draw.metadata[key]!r} is not that of {reference}, "
                    f"{target.metadata[key]!r}; delete both and run again"
                )
    distances = [frechet_distance(draw, target) for draw in draws]
    write_json(
        output,
        {key: target.metadata[key] for key in PROTOCOL}
        | {
            "reference": target.metadata["reference"],
            "count_reference": target.count,
            "count_samples": draws[0].count,
            "seeds": [draw.metadata["seed"] for draw in draws if "seed" in draw.metadata],
            "distances": distances,
            **over_seeds("", distances),
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
