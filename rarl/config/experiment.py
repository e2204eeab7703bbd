"""An experiment: one data set at one size, its models, their training and evaluation."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rarl.config.fields import (
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    OddFilter,
    Positive,
    Settings,
)


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
