"""Which part of the configuration each stage is given.

A rule passes its stage's settings as one sorted JSON string, so that the command can be replayed
by hand and a change re-runs exactly the stages that it concerns. Imports no torch.
"""

import json

from rarl.config import (
    Config,
    Critic,
    Frechet,
    Rejection,
    Rl,
    Settings,
    Tempered,
)
from rarl.stage_settings import (
    CodesSettings,
    CriticTraining,
    DistanceSettings,
    DrawSettings,
    ExtractorSettings,
    FeaturesSettings,
    FinetuneSettings,
    NllSettings,
    OracleCodesSettings,
    PrepareSettings,
    PriorSettings,
    QualitySettings,
    RealFeaturesSettings,
    RejectSettings,
    SecondsSettings,
    VqvaeSettings,
)


def to_json(settings: Settings) -> str:
    """One canonical line: equal settings give equal text."""
    return json.dumps(settings.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def prepare(config: Config, dataset: str, image_size: int) -> PrepareSettings:
    return PrepareSettings(dataset=config.datasets[dataset], image_size=image_size)


def vqvae(config: Config, experiment: str) -> VqvaeSettings:
    of = config.experiments[experiment]
    limits = of.limits.of("codes_in_use")
    return VqvaeSettings(
        seed=of.seed,
        latents=of.latents,
        vqvae=of.vqvae,
        precision=of.precision,
        limits=limits,
    )


def codes(config: Config, experiment: str) -> CodesSettings:
    of = config.experiments[experiment]
    readers = [of.prior, *map(of.prior.of, of.grids)]
    readers += [
        oracle_prior(config, name).prior
        for name, other in config.experiments.items()
        if other.oracle and other.oracle.of == experiment
    ]
    flip = any(reader.flip for reader in readers)
    return CodesSettings(batch_size=of.vqvae.batch_size, flip=flip)


def oracle_prior(config: Config, experiment: str) -> PriorSettings:
    """The oracle is a prior like any other, of the codes that `oracle.of` names."""
    of = config.experiments[experiment]
    assert of.oracle is not None
    prior = of.prior.overlaid(of.oracle.prior, "oracle.prior")
    return PriorSettings(seed=of.seed, grid=0, prior=prior, precision=of.precision)


def oracle_codes(config: Config, experiment: str) -> OracleCodesSettings:
    of = config.experiments[experiment]
    assert of.oracle is not None
    return OracleCodesSettings(
        seed=of.seed,
        train=of.oracle.train,
        val=of.oracle.val,
        batch_size=of.sampling.batch_size,
    )


def nll(config: Config, experiment: str) -> NllSettings:
    return NllSettings(batch_size=config.experiments[experiment].sampling.batch_size)


def prior(config: Config, experiment: str, grid: str) -> PriorSettings:
    of = config.experiments[experiment]
    return PriorSettings(
        seed=of.seed,
        grid=of.grids.index(grid),
        prior=of.prior.of(grid),
        precision=of.precision,
    )


def extractor(config: Config, experiment: str) -> ExtractorSettings:
    return ExtractorSettings.of(config.experiments[experiment].evaluation)


def rewarded_by_distance(config: Config, experiment: str, method: str) -> bool:
    """Else a critic gives the reward, or nothing does."""
    rl = config.finetuning(experiment, method)
    return isinstance(rl, Rl) and isinstance(rl.reward, Frechet)


def rewarded_for_images(config: Config, experiment: str, method: str) -> bool:
    """In an oracle experiment: whether what gives the reward sees decoded images, not codes."""
    oracle = config.experiments[experiment].oracle
    assert oracle is not None  # by the rules
    if config.finetuned[method].objective == "mle":
        return False
    return oracle.critic_input == "images" or rewarded_by_distance(config, experiment, method)


def reward_reference(config: Config, experiment: str, method: str) -> FeaturesSettings:
    rl = config.finetuning(experiment, method)
    assert isinstance(rl, Rl)  # by the rules
    assert isinstance(rl.reward, Frechet)
    return FeaturesSettings(
        extractor=ExtractorSettings.of(rl.reward),
        batch_size=config.experiments[experiment].evaluation.batch_size,
    )


def finetune(config: Config, experiment: str, method: str) -> FinetuneSettings:
    of, rl = config.experiments[experiment], config.finetuning(experiment, method)
    limited: tuple[str, ...] = ()
    if isinstance(rl, Rl):
        limited = ("entropy", "kl", "wasserstein")
        if isinstance(rl.reward, Frechet):  # there is no critic
            limited = ("entropy", "kl")
    return FinetuneSettings(
        seed=of.seed,
        flip=of.prior.flip,
        objective=config.finetuned[method].objective,
        rl=rl,
        rows=rollout_rows(config, experiment, method),
        temperature=of.sampling.temperature,
        top_k=of.sampling.top_k,
        precision=of.precision,
        limits=of.limits.of(*limited),
        extractor=None if of.oracle else extractor(config, experiment),
    )


def rollout_rows(config: Config, experiment: str, method: str) -> tuple[int, ...]:
    """Rows of each grid that a rollout draws, coarse to fine; for `mle` all."""
    of, rl = config.experiments[experiment], config.finetuning(experiment, method)
    return rl.part.rows(of.latents) if isinstance(rl, Rl) else of.latents


def critic(config: Config, experiment: str, method: str) -> CriticTraining:
    """As many steps as an RL run gives its critic."""
    of, rl = config.experiments[experiment], config.finetuning(experiment, method)
    assert isinstance(rl, Rl)  # by the rules
    assert isinstance(rl.reward, Critic)
    return CriticTraining(
        seed=of.seed,
        flip=of.prior.flip,
        critic=rl.reward,
        steps=rl.reward.warmup_steps + rl.iterations * rl.reward.steps,
        temperature=of.sampling.temperature,
        top_k=of.sampling.top_k,
        precision=of.precision,
        log_every=rl.log_every,
        limits=of.limits.of("wasserstein"),
    )


def draw(config: Config, experiment: str, method: str, seed: int, shard: int) -> DrawSettings:
    of, by = config.experiments[experiment], config.methods[method]
    drawn = of.sampling.pictures(shard)
    return DrawSettings(
        seed=seed,
        first=drawn.start,
        count=len(drawn),
        batch_size=of.sampling.batch_size,
        temperature=by.temperature if isinstance(by, Tempered) else of.sampling.temperature,
        top_k=of.sampling.top_k,
        precision=of.precision,
    )


def reject(config: Config, experiment: str, method: str, seed: int, shard: int) -> RejectSettings:
    of = config.methods[method]
    assert isinstance(of, Rejection)  # for the type checker: the rule's wildcards see to it
    return RejectSettings(draw=draw(config, experiment, method, seed, shard), draws=of.draws)


def features(config: Config, experiment: str) -> FeaturesSettings:
    return FeaturesSettings(
        extractor=extractor(config, experiment),
        batch_size=config.experiments[experiment].evaluation.batch_size,
    )


def distance() -> DistanceSettings:
    return DistanceSettings()


def real_features(config: Config, experiment: str) -> RealFeaturesSettings:
    of = config.experiments[experiment].evaluation
    return RealFeaturesSettings(
        extractor=extractor(config, experiment), batch_size=of.batch_size, count=of.real_count
    )


def quality(config: Config, experiment: str) -> QualitySettings:
    of = config.experiments[experiment].evaluation
    return QualitySettings(
        neighbours=of.neighbours,
        kid_subsets=of.kid_subsets,
        kid_subset_size=of.kid_subset_size,
    )


def seconds(config: Config, experiment: str, method: str, batch_size: int) -> SecondsSettings:
    of = config.experiments[experiment]
    return SecondsSettings(
        latents=of.latents,
        codebook_size=of.vqvae.codebook_size,
        priors=tuple(of.prior.of(grid) for grid in of.grids),
        rows=rollout_rows(config, experiment, method),
        batch_size=batch_size,
        precision=of.precision,
    )
