"""The files that a user may ask Snakemake for: a misspelt one is named. Imports no torch."""

from pathlib import Path

from rarl.config import LONG, RESERVED, Config, ConfigError, nearest

SUFFIXES = (
    ".csv",
    ".json",
    ".jsonl",
    ".md",
    ".npz",
    ".png",
    ".safetensors",
)  # of the outputs


def check(config: Config, target: str) -> None:
    """Raises `ConfigError` when a wanted file names what the configuration doesn't hold.

    Says nothing about a name that can't be a stage's output: a rule, an option, another file.
    """
    path = Path(target)
    if path.suffix not in SUFFIXES or not path.is_relative_to(config.results):
        return
    folder, *rest = path.relative_to(config.results).parts
    stem = Path(*rest).stem
    if folder == "tables":
        _refuse_unknown(target, "table", stem.removesuffix(LONG), list(config.tables))
    elif folder == "figures":
        kind, _, experiment = stem.partition("-")
        if kind in ("samples", "curves"):
            _refuse_unknown(target, "experiment", experiment, list(config.experiments))
        else:
            _refuse_unknown(target, "figure", stem, list(config.figures))
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
