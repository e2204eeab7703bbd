"""Which part of the configuration each stage is given.

A rule passes its stage's settings as one sorted JSON string, so that the command can be replayed
by hand and a change re-runs exactly the stages that it concerns. Imports no torch.
"""

import json

from rarl.config import (
    SINGLE,
    ArchitectureTable,
    Config,
    DistanceTable,
    Finetuning,
    NllTable,
    QualityTable,
    ReconstructionTable,
    Rejection,
    ReplicatedTable,
    SamplesFigure,
    SecondsTable,
    Settings,
    Tempered,
    TimeFigure,
    methods_of,
    runs_of,
)
from rarl.stage_settings import (
    ArchitectureSettings,
    CodesSettings,
    CriticTraining,
    CurvesSettings,
    DistanceSettings,
    DrawSettings,
    ExtractorSettings,
    FeaturesSettings,
    FinetuneSettings,
    GridSettings,
    NllSettings,
    OracleCodesSettings,
    PageSettings,
    PrepareSettings,
    PriorColumn,
    PriorSettings,
    QualitySettings,
    RealFeaturesSettings,
    RejectSettings,
    ReplicatedSettings,
    RowsSettings,
    SamplesFigureSettings,
    SecondsSettings,
    TableSettings,
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


def methods(config: Config, experiment: str) -> tuple[str, ...]:
    """The methods in an experiment's figures: the rows of the first table or figure of its samples.

    All methods when none shows any.
    """
    every = (*config.tables.values(), *config.figures.values())
    sampled = [of for of in every if isinstance(of, (DistanceTable, QualityTable, SamplesFigure))]
    replicated = [of for of in every if isinstance(of, ReplicatedTable)]  # other training seeds
    for of in (*sampled, *replicated):
        if experiment in runs_of(config, of):
            return methods_of(of)
    return tuple(config.methods)


def finetuned(config: Config, experiment: str) -> tuple[str, ...]:
    """Those of `methods` that make a prior of their own."""
    return tuple(name for name in methods(config, experiment) if name in config.finetuned)


def grid(config: Config, experiment: str) -> GridSettings:
    return GridSettings(labels=labels(config, methods(config, experiment)))


def curves(config: Config, experiment: str) -> CurvesSettings:
    return CurvesSettings(
        title=experiment,
        grids=config.experiments[experiment].grids,
        labels=labels(config, finetuned(config, experiment)),
    )


def labels(config: Config, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(config.methods[name].label for name in names)


def samples_figure(config: Config, name: str) -> SamplesFigureSettings:
    of = config.figures[name]
    assert isinstance(of, SamplesFigure)  # by the rules
    headings = tuple(of.columns.values())
    return SamplesFigureSettings(headings=headings, labels=labels(config, of.rows))


def table(config: Config, name: str) -> TableSettings:
    of = config.tables[name]
    assert isinstance(of, (DistanceTable, SecondsTable, ReconstructionTable))  # by the rules
    rows: tuple[str, ...]
    paper: tuple[tuple[float | None, ...] | None, ...]
    if isinstance(of, ReconstructionTable):
        rows, paper = ("Reconstructions",), (of.paper,)
    else:
        rows = tuple(of.rows.values()) if isinstance(of, SecondsTable) else labels(config, of.rows)
        paper = tuple(of.paper.get(row) for row in of.rows)
    return TableSettings(
        title=of.title, headings=tuple(of.columns.values()), labels=rows, paper=paper
    )


def architecture(config: Config, name: str) -> ArchitectureSettings:
    of = config.tables[name]
    assert isinstance(of, ArchitectureTable)  # by the rules
    experiment = config.experiments[of.experiment]
    if experiment.oracle is not None:
        oracle = oracle_prior(config, of.experiment).prior
        priors = {"oracle": oracle, "generator": experiment.prior.of(SINGLE)}
    elif len(experiment.grids) == 1:
        priors = {"prior": experiment.prior.of(SINGLE)}
    else:
        priors = {f"{grid} prior": experiment.prior.of(grid) for grid in experiment.grids}
    return ArchitectureSettings(
        title=of.title,
        image_size=experiment.image_size,
        latents=experiment.latents,
        vqvae=experiment.vqvae,
        priors=tuple(PriorColumn(heading=name, prior=prior) for name, prior in priors.items()),
    )


def rows(config: Config, name: str) -> RowsSettings:
    """Of a table, or else of a figure, whose rows are methods and whose columns are given."""
    of = config.tables.get(name) or config.figures[name]
    assert isinstance(of, (QualityTable, NllTable, TimeFigure))  # by the rules
    return RowsSettings(title=of.title, labels=labels(config, of.rows))


def replicated(config: Config, name: str) -> ReplicatedSettings:
    of = config.tables[name]
    assert isinstance(of, ReplicatedTable)  # by the rules
    return ReplicatedSettings(
        title=of.title,
        headings=tuple(of.columns.values()),
        labels=labels(config, of.rows),
        training_seeds=of.training_seeds,
    )


def page() -> PageSettings:
    return PageSettings()
