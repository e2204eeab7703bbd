"""Settings of fine-tuning that run in no time; each test changes what it is about."""

from rarl.config import (
    Adversarial,
    Discriminative,
    Finetuning,
    Frechet,
    IntermediateCredit,
    Part,
    Perceptual,
    PixelCritic,
    Rl,
    SingleCredit,
)

PERCEPTUAL = Perceptual(extractor="efficientnet_lite1", weights=None, weight=0.5)
ADVERSARIAL = Adversarial(
    weight=0.5,
    start_step=2,
    hidden_units=4,
    max_units=8,
    layers=2,
    learning_rate=1e-3,
)

FINETUNING = {
    "iterations": 1,
    "batch_size": 64,
    "learning_rate": 1e-2,
    "gradient_clip": 1.0,
    "ema_decay": 0.5,
    "log_every": 1,
    "evaluate_every": 1,
    "evaluate_samples": 2,
    "selection": "best",
}


def finetuning(**changes: object) -> Finetuning:
    return Finetuning(**(FINETUNING | changes))


def discriminative(**changes: object) -> Discriminative:
    own = {"alpha": 1.0, "beta": 1.0, "pool": 64, "rounds": 2}
    return Discriminative(**(FINETUNING | own | changes))


def critic_settings(**changes: object) -> PixelCritic:
    values = {
        "loss": "wasserstein",
        "stem_stride": 2,
        "hidden_units": 4,
        "max_units": 8,
        "final_size": 4,
        "map_size": 0,
        "batch_size": 16,
        "steps": 1,
        "warmup_steps": 2,
        "learning_rate": 1e-3,
        "gradient_penalty": 10.0,
        "penalty_every": 1,
        "ema_decay": 0.5,
    }
    return PixelCritic(**(values | changes))


FRECHET = Frechet(
    extractor="efficientnet_lite1",
    weights=None,
    window=1000,
    ridge=0.01,
    refresh_every=2,
    warmup_steps=3,
)

INTERMEDIATE = IntermediateCredit(discount=0.5, whole_weight=0.5)


def rl_settings(**changes: object) -> Rl:
    values = {
        **FINETUNING,
        "part": Part(single=1.0, top=1.0, bottom=1.0),
        "rollouts_per_context": 1,
        "start_temperature": 1.0,
        "kl_weight": 0.0,
        "mle_weight": 0.0,
        "reward": critic_settings(),
        "credit": SingleCredit(),
    }
    return Rl(**(values | changes))
