"""Distance, precision, recall, KID and cost of methods side by side."""

from collections.abc import Sequence

import pandas as pd

from rarl.config import Config
from rarl.layout import Layout
from rarl.report.distances import (
    EXTRAPOLATED,
    Measured,
    protocol_notes,
    protocols_of,
)
from rarl.report.frame import gather, observe, summarise, with_summary
from rarl.report.gains import gain_notes, paired
from rarl.report.inputs import plots_beside
from rarl.report.logs import Selected
from rarl.report.measured import (
    by_extractor,
    iteration_notes,
    measured,
    pivot,
    spread_of,
    with_paper,
)
from rarl.report.qualities import observe_quality
from rarl.report.quality_kind import QualityKind
from rarl.report.table import Cell, Table
from rarl.results.distances import Protocol
from rarl.results.quality import Memorisation, Quality

HEADINGS = {  # metric: heading
    "distance": "distance",
    "precision": "precision",
    "recall": "recall",
    "kid": "KID",
    "seconds": "seconds an image",
    "near": "near a training image",
    EXTRAPOLATED: "distance of infinitely many",
}
DIGITS = {"precision": 3, "recall": 3, "kid": 3, "seconds": 4, "near": 3}


class Kind(QualityKind):
    """Rows are methods of one experiment, columns the metrics."""

    @classmethod
    def beside(cls, config: Config, files: Layout, name: str) -> list[str]:
        return plots_beside(config, files, name)

    def made_of(
        self,
        distances: Sequence[Measured],
        qualities: Sequence[Quality],
        selected: Sequence[Selected | None],
    ) -> Table:
        """One result of each stage for each run."""
        [column] = self.columns
        protocols = protocols_of(column, distances, self.title)
        observations = gather(
            [_observe(*of) for of in zip(distances, qualities, selected, strict=True)]
        )
        gains = paired(observations, self.rows[0].name)
        summary = with_paper(summarise(observations, "sampling_seed"), self)
        shown = pivot(summary, _cell, rows=["method"], columns=["metric", "extractor"])
        devices = sorted({quality.device for quality in qualities if quality.device is not None})
        alone = f" of {protocols[0].extractor}" if len(protocols) > 1 else ""
        notes = [
            *protocol_notes(column, distances, "distance"),
            f"- precision, recall (Kynkäänniemi et al. 2019), KID: on the same features{alone}, "
            "against reconstructions of training images; higher, higher, lower is better",
            *_near_notes(qualities),
            f"- seconds for each image that is kept, on {' and '.join(devices)}",
            f"- mean ± standard deviation over {len(distances[0].results[0].seeds)} sampling seeds",
            *gain_notes(gains, self, column),
            *iteration_notes(observations, self),
            *self.notes,
        ]
        return Table(
            self.title,
            "Method",
            by_extractor(
                shown,
                [row.label for row in self.rows],
                _headings(protocols, set(observations["metric"])),
            ),
            with_summary(
                gather([observations, gains]),
                gather([summary, summarise(gains, "sampling_seed")]),
            ),
            notes,
        )


def _observe(of: Measured, quality: Quality, selected: Selected | None) -> pd.DataFrame:
    """All rows of a run."""
    parts = [observe_quality(of, quality, selected)]
    extrapolated = of.observe_extrapolated(selected)
    if extrapolated is not None:
        parts.append(extrapolated)
    if quality.memorisation is not None:
        first, shares = of.results[0], quality.memorisation.shares
        parts.append(
            observe(
                of.run,
                "near",
                "share",
                shares,
                sampling_seeds=first.seeds,
                extractor=first.protocol.extractor,
                protocol=_beside_held_out(quality.memorisation),
                selected=selected,
            )
        )
    if quality.seconds_per_image is not None and quality.device is not None:
        seconds = [quality.seconds_per_image]
        parts.append(observe(of.run, "seconds", "s an image", seconds, protocol=quality.device))
    return gather(parts)


def _beside_held_out(of: Memorisation) -> str:
    return (
        f"{of.training:,} training images, {of.held_out:,} held-out ones; expected "
        f"{of.expected:.3f}, {of.confidence:.0%} interval {of.low:.3f} to {of.high:.3f}"
    )


def _near_notes(qualities: Sequence[Quality]) -> list[str]:
    """What the share of samples near a training image is compared with."""
    found = dict.fromkeys(
        _beside_held_out(of.memorisation) for of in qualities if of.memorisation is not None
    )
    return [
        "- near a training image: share of samples that lie as near to one as the nearest held-out "
        f"images do (after Meehan et al. 2020): {text}; a larger share tells of copying"
        for text in found
    ]


def _headings(
    protocols: Sequence[Protocol], measured: set[str]
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Of every column: for people and for the CSV, which has those of the first extractor."""
    found: dict[tuple[str, str], tuple[str, str | None]] = {}
    for metric, heading in HEADINGS.items():
        if metric in (EXTRAPOLATED, "near") and metric not in measured:
            continue
        if metric in ("distance", EXTRAPOLATED):
            for number, protocol in enumerate(protocols):
                named = f"{heading}, {protocol.label}" if len(protocols) > 1 else heading
                found[metric, protocol.extractor] = named, None if number else heading
        else:
            extractor = "" if metric == "seconds" else protocols[0].extractor
            found[metric, extractor] = heading, heading
    return found


def _cell(line: pd.Series) -> Cell:
    return measured(
        line["mean"], spread_of(line), DIGITS.get(line["metric"], 2), start=line["start"]
    )
