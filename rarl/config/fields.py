"""The types of single values, and the base of every part of the configuration."""

import json
import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from rarl.config.errors import ConfigError, nearest, one_line

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _number(value: object) -> object:
    """YAML 1.1 reads `1e-4` as text; take it for the number that was meant."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value


def _file_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("may hold only letters, digits, '.', '_' and '-', as it names files")
    return value


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("must be odd, so that the filter has a centre")
    return value


def _even_or_one(value: int) -> int:
    if value > 1 and value % 2:
        raise ValueError("must be 1 or even")
    return value


def _folder(value: str) -> str:
    if not value.strip("/") or re.search(r"[{}]", value):
        raise ValueError("must name a folder, without braces, which Snakemake reads as wildcards")
    return value


def _color(value: str) -> str:
    from PIL import ImageColor  # noqa: PLC0415 - the benchmarks of a GPU run without Pillow

    try:
        channels = ImageColor.getrgb(value)
    except ValueError:
        known = nearest(value, list(ImageColor.colormap)) if value.isalpha() else ""
        hint = known if known.startswith(" (did") else ""
        raise ValueError(
            f"'{value}' is no colour{hint}; write a CSS name such as white or a code such as "
            "'#ffffff'"
        ) from None
    if len(channels) != 3:
        raise ValueError(f"'{value}' is transparent; write an opaque colour")
    return value


def _not_one(value: int) -> int:
    if value == 1:
        raise ValueError("must be 2 or more, of each split: one image has no statistics")
    return value


Name = Annotated[str, AfterValidator(_file_name)]
FolderName = Annotated[str, AfterValidator(_folder)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
EvenOrOne = Annotated[int, Field(ge=1), AfterValidator(_even_or_one)]
Real = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Positive = Annotated[Real, Field(gt=0)]
NotNegative = Annotated[Real, Field(ge=0)]
Fraction = Annotated[Real, Field(ge=0, lt=1)]
Share = Annotated[Real, Field(gt=0, le=1)]
OddFilter = Annotated[int, Field(ge=1), AfterValidator(_odd)]


Color = Annotated[str, AfterValidator(_color)]  # as CSS writes it, opaque
Images = Annotated[int, Field(ge=1), AfterValidator(_not_one)]  # that statistics can be made of

Precision = Literal["float32", "bfloat16"]
ExtractorName = Literal[
    "inception",
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
    "mobilenet_v2",
    "dinov2_vits14",
    "dinov2_vitl14",
    "clip_vitb32",
]


class Settings(BaseModel):
    """Base of every part of the configuration: typed strictly, frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The modules of the kinds that a stage with these settings imports by `rarl.kinds`."""
        return ()

    def to_json(self) -> str:
        """One canonical line: equal settings give equal text."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what a rule passes on the command line; raises `ConfigError`."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ConfigError(one_line(error, cls)) from None
