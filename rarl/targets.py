"""The files that a user may ask Snakemake for: a misspelt one is named. Imports no torch."""

import re
from collections.abc import Iterable
from pathlib import Path

from rarl.config import LONG, RESERVED, Config, ConfigError, nearest
from rarl.config.stages.report import plot_names


def unknown(config: Config) -> str:
    """A regular expression of paths in the folder of results that hold an unknown name.

    Snakemake asks for such a path where a user misspells a target: no rule makes it, so that the
    one that has this constraint can say what is wrong (`check`).
    """
    tables, plots = _any(config.tables), _any(plot_names(config))
    experiments, methods = _any(config.experiments), _any(config.methods)
    known = (
        rf"tables/{tables}(?:{re.escape(LONG)})?\.[a-z]+$",
        rf"figures/{plots}\.[a-z]+$",
        rf"{experiments}/(?:[^/]+$|{methods}/)",
        *(f"{re.escape(name)}(?:/|$)" for name in RESERVED if name not in ("tables", "figures")),
        "[^/]+$",
    )
    return f"(?!{'|'.join(known)}).+"


def _any(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(names))) or '(?!)'})"


def check(config: Config, target: str) -> None:
    """Raises `ConfigError` when a wanted file names what the configuration doesn't hold.

    Says nothing about a name that can't be a stage's output: a rule, an option, another file.
    """
    path = Path(target)
    if not path.is_relative_to(config.results):
        return
    folder, *rest = path.relative_to(config.results).parts
    stem = Path(*rest).stem
    if folder == "tables":
        _refuse_unknown(target, "table", stem.removesuffix(LONG), list(config.tables))
    elif folder == "figures":
        _refuse_unknown(target, "figure", stem, plot_names(config))
    elif folder not in RESERVED and rest:
        _refuse_unknown(target, "experiment", folder, list(config.experiments))
        if len(rest) > 1:
            _refuse_unknown(target, "method", rest[0], list(config.methods))
            try:
                config.finetuning(folder, rest[0])
            except ValueError as error:
                raise ConfigError(f"{target}: {error}") from None


def _refuse_unknown(target: str, what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise ConfigError(f"{target}: no {what} is named '{name}'{nearest(name, known)}")
