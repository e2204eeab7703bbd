"""What a tracker is given: the training logs of runs with their settings, and the tables.

Everything is read from the files that the workflow leaves; nothing is recorded while it trains.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import SafetensorError, safe_open

from rarl.report import logs
from rarl.runtime.artefact import KEY
from rarl.runtime.errors import UserError

PART = ".part"  # of a training that is not complete
LOGS = "logs"  # a folder that every folder of results has
NOT_METRICS = ("step", "seconds", "warning")
OTHER = "accepted.jsonl"  # no training log


@dataclass(frozen=True)
class Line:
    """A line of a training log."""

    step: int
    seconds: float  # since the training began
    time: float  # seconds since 1970
    metrics: dict[str, float]
    warning: str | None


@dataclass(frozen=True)
class TrainingRun:
    """The log of one stage that trained something."""

    name: str  # EXPERIMENT/vqvae, EXPERIMENT/METHOD/prior, ...
    lines: tuple[Line, ...]
    config: dict[str, Any]  # what made it: stage, settings, hashes; empty while it is not complete


@dataclass(frozen=True)
class MarkdownTable:
    name: str
    text: str


def find(folders: Sequence[Path]) -> list[TrainingRun]:
    """The training logs below `folders`, each once, by name.

    Raises `UserError` where a folder holds none, and for a log that is damaged.
    """
    found: dict[Path, TrainingRun] = {}
    for folder in folders:
        paths = [*folder.rglob("*.jsonl"), *folder.rglob(f"*.jsonl{PART}")]
        paths = [path for path in paths if path.name != OTHER]
        if not paths:
            raise UserError(
                f"{folder}: holds no training log (*.jsonl); name a folder of results, or an "
                "experiment's folder in it"
            )
        root = results_of(folder)
        found |= {path.resolve(): _read(path, root) for path in paths}
    return sorted(found.values(), key=lambda run: run.name)


def tables(folders: Iterable[Path]) -> list[MarkdownTable]:
    """The tables beside the runs.

    Of an experiment's folder they are those that measured it, of a folder of results all.
    """
    found: dict[Path, MarkdownTable] = {}
    for folder in folders:
        root = results_of(folder)
        wanted = folder.resolve().relative_to(root.resolve()).parts[:1]
        for path in sorted((root / "tables").glob("*.md")):
            if not wanted or wanted[0] in _experiments(path):
                text = path.read_text(encoding="utf-8")
                found[path.resolve()] = MarkdownTable(path.stem, text)
    return list(found.values())


def results_of(folder: Path) -> Path:
    """The folder of results around `folder`: itself or the nearest one above that has logs."""
    candidates = [folder, *folder.resolve().parents]
    return next((of for of in candidates if (of / LOGS).is_dir()), folder)


def _experiments(table: Path) -> set[str]:
    """The experiments that a table measured; the tidy frame beside it tells."""
    path = table.with_suffix(".long.csv")
    if not path.is_file():
        return set()
    frame = pd.read_csv(path)
    return set(frame["experiment"]) if "experiment" in frame else set()


def _read(path: Path, root: Path) -> TrainingRun:
    whole = path.with_name(path.name.removesuffix(PART))
    name = whole.resolve().relative_to(root.resolve()).with_suffix("").as_posix()
    records = [
        {key: value for key, value in record.items() if not pd.isna(value)}
        for record in logs.read(path).to_dict("records")
    ]
    # A log says seconds since its start; the file was last written at its last line.
    start = path.stat().st_mtime - (records[-1]["seconds"] if records else 0.0)
    lines = tuple(_line(record, start) for record in records)
    return TrainingRun(name, lines, _config(whole.with_suffix(".safetensors")))


def _line(record: dict[Any, Any], start: float) -> Line:
    seconds = float(record["seconds"])
    metrics = {str(k): float(of) for k, of in record.items() if k not in NOT_METRICS}
    return Line(int(record["step"]), seconds, start + seconds, metrics, record.get("warning"))


def _config(artefact: Path) -> dict[str, Any]:
    """The provenance in the header of what the run wrote."""
    if not artefact.is_file():
        return {}
    try:
        with safe_open(artefact, framework="np") as file:
            header = json.loads((file.metadata() or {}).get(KEY, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"{artefact}: cannot be read as safetensors ({error})") from None
    return dict(header.get("metadata", {}).get("provenance", {}))
