"""Which part of the configuration each stage is given.

A rule passes its stage's settings as one sorted JSON string, so that the command can be replayed
by hand and a change re-runs exactly the stages that it concerns. Imports no torch.
"""

import json

from rarl.config import (
    Config,
    Finetuning,
    Rejection,
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
    return config.finetuned[method].objective != "mle" and rl.source == "frechet"


def rewarded_for_images(config: Config, experiment: str, method: str) -> bool:
    """In an oracle experiment: whether what gives the reward sees decoded images, not codes."""
    oracle = config.experiments[experiment].oracle
    assert oracle is not None  # by the rules
    if config.finetuned[method].objective == "mle":
        return False
    return oracle.critic_input == "images" or rewarded_by_distance(config, experiment, method)


def reward_reference(config: Config, experiment: str, method: str) -> FeaturesSettings:
    frechet = config.finetuning(experiment, method).frechet
    assert frechet is not None  # by the rules
    return FeaturesSettings(
        extractor=ExtractorSettings.of(frechet),
        batch_size=config.experiments[experiment].evaluation.batch_size,
    )


def finetune(config: Config, experiment: str, method: str) -> FinetuneSettings:
    of = config.experiments[experiment]
    objective = config.finetuned[method].objective
    rl = config.finetuning(experiment, method)
    shared = {name: getattr(rl, name) for name in Finetuning.model_fields}
    mle = objective == "mle"
    if rl.source == "critic":
        rl = rl.model_copy(update={"frechet": None})
    return FinetuneSettings(
        seed=of.seed,
        flip=of.prior.flip,
        objective=objective,
        rl=Finetuning.model_validate(shared) if mle else rl,
        rows=of.latents if mle else rl.part.rows(of.latents),
        temperature=of.sampling.temperature,
        top_k=of.sampling.top_k,
        precision=of.precision,
        limits={} if mle else of.limits.of("entropy", "kl", "wasserstein"),
        extractor=None if of.oracle else extractor(config, experiment),
    )


def critic(config: Config, experiment: str, method: str) -> CriticTraining:
    """As many steps as an RL run gives its critic."""
    of, rl = config.experiments[experiment], config.finetuning(experiment, method)
    return CriticTraining(
        seed=of.seed,
        flip=of.prior.flip,
        critic=rl.critic,
        steps=rl.critic.warmup_steps + rl.iterations * rl.critic.steps,
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
        rows=config.finetuning(experiment, method).part.rows(of.latents),
        batch_size=batch_size,
        precision=of.precision,
    )
