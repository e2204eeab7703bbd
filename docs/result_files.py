"""The files of `docs/results`, and the commit of the code that made each: `SOURCES.yaml`."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from rarl.report.frame import CELL
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_text

RESULTS = Path(__file__).parent / "results"
SOURCES = "SOURCES.yaml"
HEADER = (
    "# The commit of the code that made each file. Written by docs/write_documents.py --collect.\n"
)
SUMMARY = [*CELL, "mean", "deviation", "count", "interval"]


def commits(results: Path = RESULTS) -> dict[str, str]:
    """The commit of each file, by its path in the folder."""
    found = yaml.safe_load((results / SOURCES).read_text(encoding="utf-8"))
    return {str(name): str(commit) for name, commit in found.items()}


def write_commits(found: dict[str, str], results: Path = RESULTS) -> None:
    lines = [f'{name}: "{found[name]}"\n' for name in sorted(found)]
    write_text(results / SOURCES, HEADER + "".join(lines))


def commit_of(name: str, results: Path = RESULTS) -> str:
    """Raises `UserError` for a file whose commit is not known."""
    known = commits(results)
    if name not in known:
        raise UserError(f"{results / SOURCES}: does not say which commit made {name}")
    return known[name]


def summary(name: str, results: Path = RESULTS) -> pd.DataFrame:
    """The cells of a long CSV, one a line: `SUMMARY`. Raises `UserError`."""
    path = results / name
    if not path.is_file():
        raise UserError(f"{path}: does not exist; --collect it from a run")
    lines = pd.read_csv(path)
    if missing := [column for column in SUMMARY if column not in lines]:
        raise UserError(f"{path}: lacks the columns {', '.join(missing)}; it is no long CSV")
    return lines[SUMMARY].drop_duplicates(CELL).reset_index(drop=True)


def value(name: str, key: str, results: Path = RESULTS) -> Any:
    """The value at a dotted key of a JSON file. Raises `UserError`."""
    path = results / name
    try:
        at = json.loads(path.read_text(encoding="utf-8"))
        for part in key.split("."):
            at = at[part]
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: {key}: {type(error).__name__}: {error}") from None
    return at
