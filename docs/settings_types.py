"""Types of settings in words: what a value may be."""

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen, MultipleOf
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

WORDS = {int: "integer", float: "number", str: "text", bool: "true or false", NoneType: "null"}
LIMITS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}


def words(annotation: Any, metadata: tuple[Any, ...] | list[Any] = ()) -> str:
    """What a value of this type may be, in a few words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *outer = arguments
        return words(inner, [*_flat(outer), *metadata])
    text = _plain(annotation, origin, arguments)
    return ", ".join([text, *_limits(metadata)])


def models(annotation: Any) -> list[type[BaseModel]]:
    """The settings classes that stand in a type: itself, or the members of a union."""
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if origin is Annotated:
        return models(get_args(annotation)[0])
    if origin in (Union, UnionType, tuple):
        return [model for member in get_args(annotation) for model in models(member)]
    return []


def named(annotation: Any) -> Any:
    """The type of the values of a mapping with free keys; None for another type."""
    if get_origin(annotation) is Annotated:
        return named(get_args(annotation)[0])
    return get_args(annotation)[1] if get_origin(annotation) is dict else None


def _plain(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is tuple:
        return f"list: {words(arguments[0])}"
    if models(annotation):
        null = " or null" if NoneType in arguments else ""
        text = [words(of) for of in arguments if of is not NoneType and not models(of)]
        return " or ".join([*text, "mapping (below)"]) + null
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(words(member) for member in arguments)
    if origin is dict:
        return "mapping" if arguments[1] is Any else f"mapping: NAME to {words(arguments[1])}"
    return WORDS.get(annotation, str(annotation))


def _flat(metadata: list[Any]) -> list[Any]:
    return [
        part for of in metadata for part in (of.metadata if isinstance(of, FieldInfo) else [of])
    ]


def _limits(metadata: tuple[Any, ...] | list[Any]) -> list[str]:
    """The ranges, and the checks by name: `_odd` is "odd"."""
    found = []
    for of in metadata:
        match of:
            case Ge() | Gt() | Le() | Lt():
                key, sign = LIMITS[type(of)]
                found.append(f"{sign} {getattr(of, key):g}")
            case MultipleOf():
                found.append(f"a multiple of {of.multiple_of}")
            case MinLen():
                found.append(f"at least {of.min_length} of them")
            case AfterValidator():
                found.append(str(getattr(of.func, "__name__", "")).strip("_").replace("_", " "))
    return found
