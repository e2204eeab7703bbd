"""The kinds of reward: each holds its own settings and no others.

A kind of reward is a class here with a field of `Rewards` and a place in `Reward`, and a module
with a line in `rarl.kinds.REWARDS`. All else asks the properties of `RewardSettings`.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rarl.config.fields import (
    Count,
    CountOrZero,
    EvenOrOne,
    ExtractorName,
    Fraction,
    NotNegative,
    Positive,
    Settings,
)
from rarl.config.pixel_critic import geometry
from rarl.kinds import CRITICS, EXTRACTORS, REWARDS


class ExtractorChoice(Protocol):
    """A part of the configuration that chooses an extractor of features."""

    @property
    def extractor(self) -> ExtractorName: ...

    @property
    def weights(self) -> str | None: ...


class RewardSettings(Settings):
    """What the configuration, the workflow and the stages ask of a kind of reward."""

    kind: str
    limits: ClassVar[tuple[str, ...]] = ()  # logged metrics of its own that have a limit
    images: ClassVar[bool] = False  # sees decoded images even where the experiment has codes alone
    parts: ClassVar[bool] = False  # rewards a part of an image, too

    @property
    def kinds(self) -> tuple[str, ...]:
        return (REWARDS[self.kind],)

    @property
    def batch(self) -> int | None:
        """Rollouts in one step of its own training; None: it has no steps on a part of them."""
        return None

    @property
    def reference(self) -> ExtractorChoice | None:
        """The features of real images of which it needs the moments; None: of none."""
        return None

    @property
    def extractors(self) -> tuple[str, ...]:
        """The networks of features that it is by: none of them may be one of the evaluation."""
        return ()

    @property
    def source(self) -> str | None:
        """The file of a user's code that it runs."""
        return None

    def source_sha256(self) -> str | None:
        """Of the content of `source` now."""
        path = self.source
        return None if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()

    def check_map(self) -> None:
        """Raises ValueError when it does not score the patches of an image."""
        raise ValueError(f"credit: intermediate needs scores of patches, which {self.kind} has not")

    def check(self, height: int, width: int) -> None:
        """Raises ValueError when it does not fit what it is shown, in pixels or codes."""


class CriticSettings(RewardSettings):
    """A critic and its training: the paper's reward."""

    kind: Literal["critic"] = "critic"  # tells the kinds apart; there is nothing to choose
    network: str
    limits: ClassVar[tuple[str, ...]] = ("wasserstein",)

    batch_size: Count  # images of each kind, real and sampled, in a critic step
    steps: Count  # critic steps for each policy step
    warmup_steps: CountOrZero  # critic steps before the first policy step
    learning_rate: Positive
    gradient_penalty: NotNegative
    penalty_every: Count  # critic steps; the penalty then counts as many times
    ema_decay: Fraction  # of the critic's weights that give the reward; 0: the newest

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*super().kinds, CRITICS[self.network])

    @property
    def batch(self) -> int:
        return self.batch_size


def _ascending(blocks: tuple[int, ...]) -> tuple[int, ...]:
    if list(blocks) != sorted(set(blocks)):
        raise ValueError("must be ascending, fine maps to coarse ones")
    return blocks


def _as_tuple(value: object) -> object:
    """A list of YAML, which validators that read a whole section are given as such."""
    return tuple(value) if isinstance(value, list) else value


Block = Annotated[int, Field(ge=1, le=7)]
Blocks = Annotated[
    tuple[Block, ...], Field(min_length=1), BeforeValidator(_as_tuple), AfterValidator(_ascending)
]


class PixelCritic(CriticSettings):
    """Convolutions on the pixels, or on one-hot codes."""

    network: Literal["pixel"] = "pixel"
    parts: ClassVar[bool] = True

    loss: Literal["wasserstein", "logistic", "hinge"]  # with the penalty of WGAN-GP, or R1 (both)
    stem_stride: EvenOrOne  # of the first convolution
    hidden_units: Count  # channels after it; doubled by each further stage
    max_units: Count  # channels never exceed it
    final_size: Count  # stride-2 stages follow until the features have this width, or less
    map_size: CountOrZero  # width of the features that are scored patch by patch; 0: no such score

    def check_map(self) -> None:
        if not self.map_size:
            raise ValueError("credit: intermediate needs reward.map_size above 0")

    def check(self, height: int, width: int) -> None:
        shape = geometry(self, height, width)
        if not shape.height or not shape.width:
            raise ValueError(
                f"critic: stem_stride={self.stem_stride} and the stages down to final_size="
                f"{self.final_size} leave nothing of {height}x{width}; lower the first or raise "
                "the second"
            )
        widths = [stage.width for stage in shape.stages]
        if self.map_size and self.map_size not in widths:
            raise ValueError(
                f"critic.map_size={self.map_size} is none of the widths before final_size, {widths}"
            )


class ProjectedCritic(CriticSettings):
    """Small heads on the maps of a frozen network (Sauer et al. 2021, arXiv 2111.01007)."""

    network: Literal["projected"] = "projected"
    images: ClassVar[bool] = True

    loss: Literal["hinge", "logistic"]  # the penalty is R1 on the projected features
    extractor: Literal["efficientnet_lite0", "efficientnet_lite1"]  # none of the evaluation's
    weights: str | None  # as in the evaluation
    blocks: Blocks  # of the network, from 1 on, whose maps the heads see
    channels: Annotated[int, Field(ge=8, multiple_of=8)]  # of a projected map, and of its head

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*super().kinds, EXTRACTORS[self.extractor])

    @property
    def extractors(self) -> tuple[str, ...]:
        return (self.extractor,)

    def check_map(self) -> None:
        """Each head scores the patches."""


Critic = Annotated[PixelCritic | ProjectedCritic, Field(discriminator="network")]


class Frechet(RewardSettings):
    """The reward by what a rollout takes off the distance of all rollouts to the reference."""

    kind: Literal["frechet"] = "frechet"
    images: ClassVar[bool] = True

    extractor: ExtractorName  # none of the evaluation's
    weights: str | None  # as in the evaluation
    window: Count  # latest rollouts whose distance it is, exponentially weighted
    ridge: Positive  # share of the mean variance that is added in every direction
    refresh_every: Count  # policy steps, before the distance's derivatives are taken anew
    warmup_steps: Count  # batches of rollouts that fill the window before the first policy step

    @property
    def kinds(self) -> tuple[str, ...]:
        return (*super().kinds, EXTRACTORS[self.extractor])

    @property
    def extractors(self) -> tuple[str, ...]:
        return (self.extractor,)

    @property
    def reference(self) -> ExtractorChoice:
        return self

    def check_map(self) -> None:
        """The map is that of the extractor."""


def _is_file(value: str) -> str:
    if not Path(value).is_file():
        raise ValueError(f"{value}: no such file; paths start where the workflow runs")
    return value


class Python(RewardSettings):
    """A user's own function of images."""

    kind: Literal["python"] = "python"
    images: ClassVar[bool] = True
    parts: ClassVar[bool] = True

    file: Annotated[str, AfterValidator(_is_file)]  # from the folder where the workflow runs
    function: str  # of uint8 (B, 3, H, W) images; gives B scores, of which higher are better

    @property
    def source(self) -> str:
        return self.file


Reward = Annotated[Critic | Frechet | Python, Field(discriminator="kind")]


class Critics(Settings):
    """The values of the critics in an experiment, one for each network."""

    pixel: PixelCritic | None = None  # of the critic on pixels, or on codes
    projected: ProjectedCritic | None = None  # of the critic on a frozen network's maps

    @model_validator(mode="before")
    @classmethod
    def _below_their_network(cls, values: Any) -> Any:
        for key in values if isinstance(values, dict) else ():
            if key in PixelCritic.model_fields:
                raise ValueError(f"{key} is now rl.rewards.critic.pixel.{key}")
        return values


class Rewards(Settings):
    """The values of every kind of reward in an experiment.

    A kind may be missing: a method that chooses it then gives all its values.
    """

    critic: Critics = Critics()  # of each network
    frechet: Frechet | None = None
    python: Python | None = None  # of a user's own function, where all methods share one


class RewardKind(Settings):
    """The reward of a method that names none."""

    kind: Literal["critic", "frechet", "python"]
    network: Literal["pixel", "projected"] | None = None  # of a method with a critic

    def beside(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        """A method's choice, with what it does not name."""
        kind = choice.get("kind", self.kind)
        network = {"network": self.network} if kind == "critic" and self.network else {}
        return {"kind": kind, **network, **choice}
