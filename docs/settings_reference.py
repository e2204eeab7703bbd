"""The reference of all settings, from the types and comments of `rarl.config`, in Markdown."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel

import settings_comments
from rarl.config import Config
from result_tables import line_of
from settings_types import models, named, words

NAME = "NAME"  # stands for a key that the user chooses
EXPERIMENT = f"experiments.{NAME}"  # whose values `defaults` gives
CHOICES = ("kind", "network", "objective")  # keys that choose a class of settings
HEADINGS = ("key", "value", "default", "meaning")


class Section(NamedTuple):
    model: type[BaseModel]
    paths: list[str]  # dotted; several for a class that stands in several places


def sections() -> list[Section]:
    """Every class of settings, in the order of the file."""
    found: dict[type[BaseModel], list[str]] = {}

    def walk(model: type[BaseModel], path: str) -> None:
        if path in found.setdefault(model, []):
            return
        found[model].append(path)
        for name, field in model.model_fields.items():
            below = f"{path}.{name}" if path else name
            values = named(field.annotation)
            inside = f"{below}.{NAME}" if values is not None else below
            for inner in models(field.annotation if values is None else values):
                walk(inner, inside)

    walk(Config, "")
    return [Section(model, paths) for model, paths in found.items()]


def reference(configuration: Path) -> str:
    """A section for each class; defaults and further comments are those of a YAML file."""
    raw = yaml.safe_load(configuration.read_text(encoding="utf-8"))
    comments = settings_comments.of_key(configuration)
    parts = []
    for section in sections():
        title = ", ".join(f"`{path}`" for path in section.paths if path) or "The file"
        if kind := _kind(section.model):
            title += f", {kind}"
        said = " ".join((vars(section.model).get("__doc__") or "").split())
        parts += [f"### {title}", "", *([said, ""] if said else [])]
        keys = [name for name in section.model.model_fields if name not in CHOICES]
        lines = [_line(section, name, raw, comments) for name in keys]
        if lines:
            parts += [line_of(HEADINGS), line_of(["---"] * len(HEADINGS)), *lines, ""]
    return "\n".join(parts).rstrip()


def without_meaning(configuration: Path) -> list[str]:
    """The lines of keys that nothing explains."""
    lines = reference(configuration).splitlines()
    return [line for line in lines if line.startswith("| `") and line.endswith("|  |")]


def _line(section: Section, name: str, raw: dict[str, Any], comments: dict[str, str]) -> str:
    """A key: its type in words, its default, and the first of the comments that explain it."""
    paths = [f"{path}.{name}" if path else name for path in section.paths]
    field = section.model.model_fields[name]
    meanings = [
        settings_comments.of_field(section.model, name),
        settings_comments.further().get(f"{section.model.__name__}.{name}", ""),
        settings_comments.further().get(name, ""),
        *(comments.get(_default(path), "") for path in paths),
    ]
    text = words(field.annotation, field.metadata)
    meaning = next(filter(None, meanings), "")
    return line_of([f"`{name}`", text, _shown(raw, paths), meaning])


def _kind(model: type[BaseModel]) -> str:
    """How a member of a union is chosen, e.g. `kind: critic`."""
    for name in CHOICES:
        if name in model.model_fields:
            return f"`{name}:` {words(model.model_fields[name].annotation)}"
    return ""


def _default(path: str) -> str:
    """Where the default of a setting stands: an experiment's in `defaults`."""
    return path.replace(EXPERIMENT, "defaults", 1)


def _shown(raw: dict[str, Any], paths: list[str]) -> str:
    """The default at these places, where it is one and the same."""
    found = {text for path in paths if (text := _value(raw, _default(path))) is not None}
    return f"`{found.pop()}`" if len(found) == 1 else ""


def _value(raw: dict[str, Any], path: str) -> str | None:
    at: Any = raw
    for part in path.split("."):
        if not isinstance(at, dict) or part not in at:
            return None
        at = at[part]
    return None if isinstance(at, dict) and at else json.dumps(at)
