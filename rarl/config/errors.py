"""What is wrong with a configuration, as one line that starts with the dotted key."""

import difflib
import json
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError


class ConfigError(ValueError):
    """The configuration is wrong; the message is one line for the user."""


def require(name: str, known: Mapping[str, Any] | tuple[str, ...], where: str, what: str) -> None:
    if name not in known:
        raise ValueError(f"{where}: no {what} is named '{name}'{nearest(name, known)}")


def nearest(name: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """` (did you mean 'x'?)` when a known name is close, else the list of the known names."""
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f" (known: {', '.join(known)})" if known else ""


def one_line(error: ValidationError, root: type[BaseModel], prefix: str = "") -> str:
    """The first fault of a pydantic error, as one line that starts with the dotted key.

    A key that is missing comes last: it is more often another one's misspelling.
    """
    text = _fault(error, root, prefix)  # may quote a name with a line break
    return "".join(of if of.isprintable() else json.dumps(of)[1:-1] for of in text)


def _fault(error: ValidationError, root: type[BaseModel], prefix: str) -> str:
    faults = error.errors(include_url=False)
    first = min(faults, key=lambda fault: fault["type"] == "missing")
    location = [str(part) for part in first["loc"]]
    keys = _keys(root, location)
    where = ".".join([prefix, *keys] if prefix else keys)
    match first["type"]:
        case "extra_forbidden":
            known = _fields(root, location[:-1])
            return f"{where}: unknown key{nearest(location[-1], known)}"
        case "missing":
            inherited = " here or in defaults" if where.startswith("experiments.") else ""
            return f"{where}: is missing; every value must be set{inherited}"
        case "value_error":
            reason = str(first["ctx"]["error"]) if "ctx" in first else first["msg"]
            return f"{where}: {reason}" if where else reason
        case _:
            reason = first["msg"][0].lower() + first["msg"][1:]
            return f"{where}: {reason}, but is {json.dumps(first['input'], default=str)[:80]}"


def _keys(root: type[BaseModel], location: list[str]) -> list[str]:
    """A location without the tags by which pydantic names the member of a union."""
    at: Any = root
    keys = []
    for part in location:
        if _member(at, part) is None:
            keys.append(part)
        at = _below(at, part)
    return keys


def _fields(root: type[BaseModel], location: list[str]) -> list[str]:
    """Names of the fields that the model at `location` below `root` knows."""
    at: Any = root
    for part in location:
        at = _below(at, part)
    return list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []


def _below(at: Any, part: str) -> Any:
    if isinstance(at, type) and issubclass(at, BaseModel):
        return at.model_fields[part].annotation if part in at.model_fields else None
    if get_origin(at) is dict:
        return get_args(at)[1]
    if get_origin(at) is Annotated and _member(at, part) is None:
        return _below(get_args(at)[0], part)
    return _member(at, part)


def _member(at: Any, tag: str) -> Any:
    """What a tag selects of a union, a model or a union in it; None where there is no such.

    A tag is a model's name, or a value of its discriminator.
    """
    if get_origin(at) is Annotated:
        at = get_args(at)[0]
    if get_origin(at) not in (Union, UnionType):
        return None
    return next((member for member in get_args(at) if tag in _tags(member)), None)


def _tags(member: Any) -> set[str]:
    """By which a member of a union may be selected."""
    if get_origin(member) is Annotated:
        member = get_args(member)[0]
    if get_origin(member) in (Union, UnionType):
        return set().union(*map(_tags, get_args(member)))
    if not (isinstance(member, type) and issubclass(member, BaseModel)):
        return set()
    fields = member.model_fields.values()
    literals = [get_args(of.annotation) for of in fields if get_origin(of.annotation) is Literal]
    return {member.__name__, *(value for values in literals for value in values)}
