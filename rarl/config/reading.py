"""From a YAML file, or what Snakemake has read, to a checked configuration."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from rarl.config.document import Config
from rarl.config.errors import ConfigError, one_line
from rarl.config.overlay import overlay
from rarl.config.replicas import with_replicas


def load(*paths: str | Path) -> Config:
    """Reads and checks YAML files, each put over those before, as Snakemake's --configfile does.

    Raises `ConfigError`.
    """
    raw: dict[str, Any] = {}
    for path in paths:
        own = _read(path)
        raw = overlay(raw, own)
    try:
        return parse(raw)
    except ConfigError as error:
        raise ConfigError(f"{' '.join(map(str, paths))}: {error}") from None


def _read(path: str | Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, Mapping):
        raise ConfigError(f"{path}: must be a mapping, but is {type(content).__name__}")
    return content


def parse(raw: object) -> Config:
    """Checks a configuration that is already read. Raises `ConfigError`."""
    if not isinstance(raw, Mapping):
        raise ConfigError(f"the configuration must be a mapping, but is {type(raw).__name__}")
    raw = dict(raw)
    defaults = raw.pop("defaults", {})
    experiments = raw.get("experiments")
    if isinstance(experiments, Mapping) and isinstance(defaults, Mapping):
        raw["experiments"] = {
            name: overlay(defaults, own) if isinstance(own, Mapping) else own
            for name, own in experiments.items()
        }
    elif not isinstance(defaults, Mapping):
        raise ConfigError(f"defaults: must be a mapping, but is {type(defaults).__name__}")
    try:
        return with_replicas(Config.model_validate_json(json.dumps(raw)))
    except ValidationError as error:
        raise ConfigError(one_line(error, Config)) from None
    except (TypeError, ValueError) as error:  # a date, a set: YAML knows more types than JSON
        raise ConfigError(f"the configuration holds a value of no known type: {error}") from None
