"""Frechet distances as rows of the tidy frame, checked to be comparable. Imports no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rarl.config.stages.report import REAL, Column, Measurements, Run
from rarl.report.frame import gather, observe, runs
from rarl.report.logs import Selected
from rarl.results.distances import Distances, Protocol
from rarl.runtime.errors import UserError

UNIT = "squared feature units"
EXTRAPOLATED = "distance_extrapolated"  # to infinitely many samples (Chong & Forsyth 2020)


@dataclass(frozen=True)
class Measured:
    """The distances of a run: one result for each extractor of its column."""

    run: Run
    results: tuple[Distances, ...]

    @property
    def real(self) -> bool:
        """Whether these are of real images in the place of samples."""
        return self.run.method == REAL

    def observe(self, selected: Selected | None) -> pd.DataFrame:
        """The rows of the tidy frame."""
        values = [of.distances for of in self.results]
        return self._observe("distance", values, selected)

    def observe_extrapolated(self, selected: Selected | None) -> pd.DataFrame | None:
        """The same of infinitely many samples; None where they were not asked for."""
        values = [of.extrapolated for of in self.results if of.extrapolated is not None]
        return self._observe(EXTRAPOLATED, values, selected) if values else None

    def _observe(
        self, metric: str, values: Sequence[Sequence[float]], selected: Selected | None
    ) -> pd.DataFrame:
        return gather(
            [
                observe(
                    self.run,
                    metric,
                    UNIT,
                    own,
                    sampling_seeds=of.seeds,
                    extractor=of.protocol.extractor,
                    protocol=of.protocol.line(),
                    selected=selected,
                )
                for of, own in zip(self.results, values, strict=True)
            ]
        )


def read_distances(paths: Sequence[Path], settings: Measurements) -> list[Measured]:
    """Of each run of a table, in their order. Raises `UserError` for another file."""
    return by_run([Distances.read(path) for path in paths], settings)


def by_run(results: Sequence[Distances], settings: Measurements) -> list[Measured]:
    """One result for each extractor of each run, run by run."""
    extractors = {column.name: len(column.extractors) for column in settings.columns}
    found, rest = [], list(results)
    for run in runs(settings):
        count = extractors[run.experiment]
        found.append(Measured(run, tuple(rest[:count])))
        rest = rest[count:]
    if rest or not all(of.results for of in found):
        raise ValueError(f"{len(results)} results do not fill the table")
    return found


def protocols_of(column: Column, measured: Sequence[Measured], where: str) -> tuple[Protocol, ...]:
    """How the distances of a column were computed, by extractor; real images may be fewer.

    Raises `UserError` when they were not computed alike.
    """
    own = [of for of in measured if of.run.experiment == column.name]
    found = []
    for results in zip(*(of.results for of in own), strict=True):
        first = results[0].protocol
        for of, result in zip(own, results, strict=True):
            alike = {"count_samples": first.count_samples} if of.real else {}
            _require_alike(first, result.protocol.model_copy(update=alike), where)
        found.append(first)
    return tuple(found)


def _require_alike(first: Protocol, other: Protocol, where: str) -> None:
    for name in Protocol.model_fields:
        ours, theirs = getattr(first, name), getattr(other, name)
        if ours != theirs:
            raise UserError(
                f"column '{where}': {name} is {ours} in one row and {theirs} in another, "
                "so the distances do not compare; delete its distance-*.json files and run again"
            )


def protocol_notes(column: Column, measured: Sequence[Measured], where: str) -> list[str]:
    """Lines of Markdown: how the distances of a column were computed."""
    own = [of for of in measured if of.run.experiment == column.name]
    begin = f"- {where}: " if where else "- "
    notes = []
    for number, protocol in enumerate(protocols_of(column, measured, where)):
        seeds = ", ".join(str(seed) for seed in own[0].results[number].seeds)
        sampled = f"; sampling seeds {seeds}" if seeds else ""
        notes.append(f"{begin}{protocol.line()}{sampled}")
        warnings = dict.fromkeys(of.results[number].warning for of in own)
        notes += [f"{begin}warning: {warning}" for warning in warnings if warning]
    counts = {of.results[0].protocol.count_samples for of in own if of.real}
    for count in sorted(counts):
        samples = own[0].results[0].protocol.count_samples
        fewer = "" if count == samples else f", fewer than the {samples:,} samples of a row"
        notes.append(
            f"{begin}real images are {count:,} reconstructions of training images that are held "
            f"out of the reference{fewer}"
        )
    return notes
