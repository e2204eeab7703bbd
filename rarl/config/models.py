"""The models of an experiment and their training by maximum likelihood."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from rarl.config.errors import one_line
from rarl.config.fields import (
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    OddFilter,
    Positive,
    Settings,
)
from rarl.config.overlay import overlay
from rarl.kinds import PRIORS

SINGLE = "single"  # the level of an experiment that has but one


class Perceptual(Settings):
    """A loss between features of the images and of their reconstructions, beside that of pixels."""

    extractor: Literal["efficientnet_lite0", "efficientnet_lite1"]  # not that of the evaluation
    weights: str | None  # as in the evaluation
    weight: Positive  # of this loss beside that of pixels


class Adversarial(Settings):
    """A loss by a discriminator that learns to tell patches of reconstructions from those of
    images.
    """

    weight: Positive  # times a weight by which its gradient is as long as that of the other losses
    start_step: CountOrZero  # before it, the discriminator neither trains nor counts
    hidden_units: Count  # channels after the first convolution; doubled by each further one
    max_units: Count  # channels never exceed it
    layers: Count  # stride-2 convolutions; 2: it sees patches of 34 pixels, 3: of 70
    learning_rate: Positive  # of the discriminator


class Vqvae(Settings):
    """Names as in the paper's Tables 4-10; the codebook learns by moving averages."""

    hidden_units: Count
    residual_units: Count
    residual_blocks: CountOrZero  # after the last stride-2 stage, in encoder and decoder
    layers: Count  # stride-2 stages: image_size / 2**layers is the finest level
    codebook_size: Annotated[int, Field(ge=2, le=32767)]  # codes are stored as int16
    codebook_dim: Count
    beta: NotNegative  # weight of the commitment loss
    encoder_filter: OddFilter
    decoder_filter: Annotated[int, Field(ge=2, multiple_of=2)]  # of transposed convolutions
    upsampling: Literal["transposed", "nearest"]  # nearest: copies, then a 3x3 convolution
    codebook_distance: Literal["euclidean", "cosine"]  # cosine: all vectors have unit length
    codebook_decay: Fraction
    restart_threshold: Fraction  # of a uniform code's use; a code used less (average) is restarted
    perceptual: Perceptual | None  # null: no such loss
    adversarial: Adversarial | None  # null: no such loss
    flip: bool  # mirror half of the images at random
    batch_size: Count
    steps: Count
    learning_rate: Positive
    log_every: Count
    evaluate_every: Count

    @model_validator(mode="after")
    def _discriminator_starts(self) -> Self:
        if self.adversarial and self.adversarial.start_step >= self.steps:
            raise ValueError(
                f"adversarial.start_step={self.adversarial.start_step} is not below "
                f"steps={self.steps}, so the discriminator would never start"
            )
        return self


class PriorTraining(Settings):
    """What every kind of prior has beside its architecture."""

    kind: str
    flip: bool  # train on the codes of mirrored images, too
    batch_size: Count
    steps: Count
    learning_rate: Positive  # at the start
    schedule: Literal["constant", "cosine"]  # of the learning rate; cosine: down to 0
    gradient_clip: Positive
    ema_decay: Fraction  # of the weights that are evaluated, sampled and saved
    log_every: Count
    evaluate_every: Count

    @property
    def kinds(self) -> tuple[str, ...]:
        return (PRIORS[self.kind],)


class PixelCnn(PriorTraining):
    """A gated PixelCNN; names as in the paper's tables."""

    kind: Literal["pixelcnn"]
    filter_size: Annotated[OddFilter, Field(ge=3)]
    hidden_units: Count
    residual_units: Count
    layers: Count
    attention_layers: CountOrZero  # spread evenly over the layers
    attention_heads: Count
    output_stack_layers: CountOrZero
    conditioning_stack_layers: CountOrZero  # over the coarser level, where there is one
    dropout: Fraction

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


Prior = PixelCnn  # of several kinds: a union that `kind` tells apart, as `rewards.Reward`


class ByLevel(Settings):
    """What overlays the settings that all priors of an experiment share, where it has two."""

    top: dict[str, Any]
    bottom: dict[str, Any]

    def of(self, level: str) -> Prior:
        """The prior of a level: `single`, `top` or `bottom`. Raises ValueError."""
        return self.overlaid({} if level == SINGLE else getattr(self, level), f"prior.{level}")

    def overlaid(self, own: dict[str, Any], where: str) -> Prior:
        """What is shared, overlaid by the keys that stand at `where`. Raises ValueError."""
        merged = overlay(self.model_dump(exclude={"top", "bottom"}), own)
        try:
            return TypeAdapter(Prior).validate_json(json.dumps(merged))
        except ValidationError as error:
            raise ValueError(one_line(error, Prior, where)) from None


class PixelCnnByLevel(PixelCnn, ByLevel):
    """What the priors of an experiment share, and what overlays it."""


Priors = PixelCnnByLevel  # as `Prior`
