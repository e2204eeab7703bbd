# What the rules share: where files lie, and what a rule passes to its command.

import functools
import os
import re
import sys
from pathlib import Path

# Commands name no variable of this file: where another workflow uses this one as a module, Snakemake
# does not find it. They run the interpreter of Snakemake, whether its environment is activated or not.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
)

# Not among the parameters, a change of which would run everything again.
CHECKPOINTS = (
    " --checkpoint-seconds {config[checkpoints][every_seconds]}"
    " --checkpoint-steps {config[checkpoints][every_steps]}"
    " --shutdown-seconds {config[checkpoints][shutdown_seconds]}"
)


def stage(name, processes="--threads 1"):
    """The command of a stage; most rules bear the name of theirs.

    Its threads, which decide the last bits, are the same whatever --cores says.
    """
    return (
        f"python -m rarl.cli stage {name} {processes}{CHECKPOINTS}"
        " --settings {params.settings:q} --code {params.code} > {log:q} 2>&1"
    )


def job(name, settings):
    """The parameters of a rule: the settings of its stage, and the fingerprint of the stage's code.

    `rarl accept` explains a change of the fingerprint by what `records` keeps.
    """
    return dict(
        settings=lambda w: settings(w).to_json(),
        code=lambda w: records.code(name, settings(w).kinds),
    )


STAGE = stage("{rule}")

# Of what trains: its rule's parameters hold the numbers of processes and of their threads.
TRAIN = stage("{rule}", "{params.processes}")

TRAIN_PRIORITY = (
    1  # of the stages that train: none of them is left for the end, on one core
)

FILES = Layout(CONFIG.results)
LOGS, BENCHMARKS = FILES.logs, FILES.benchmarks

ORACLES = {name for name, of in CONFIG.experiments.items() if of.oracle}
REJECTIONS = {
    name for name, of in CONFIG.methods.items() if of.objective == "rejection"
}


def cores_of(stage):
    """The threads of all processes of a stage of an experiment."""

    def count(wildcards):
        of = CONFIG.experiments[wildcards.experiment]
        return getattr(of.gpus, stage) * getattr(of.threads, stage)

    return count


def processes(stage):
    """The options that say how many processes share every batch, and their threads in all."""

    def options(wildcards):
        number = getattr(CONFIG.experiments[wildcards.experiment].gpus, stage)
        return f"--gpus {number} --threads {cores_of(stage)(wildcards)}"

    return options


def one_of(names):
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


wildcard_constraints:
    dataset=one_of(CONFIG.datasets),
    image_size=r"\d+",
    experiment=one_of(CONFIG.experiments),
    method=one_of(CONFIG.methods),
    grid="single|top|bottom",
    seed=r"\d+",
    shard=r"\d+",
    extractor=one_of(
        name for of in CONFIG.experiments.values() for name in of.evaluation.extractors
    ),
    table=one_of(CONFIG.tables),
    figure=one_of(plot_names(CONFIG)),


def manifest(wildcards):
    of = CONFIG.experiments[wildcards.experiment]
    return FILES.manifest.format(dataset=of.dataset, image_size=of.image_size)


def codes(wildcards):
    """What the priors learn: the images' codes, or an oracle's."""
    oracle = wildcards.experiment in ORACLES
    return (FILES.oracle_codes if oracle else FILES.codes).format(**wildcards)


def decoder(wildcards):
    """The VQ-VAE of an experiment's codes: its own, or that of the oracle's."""
    oracle = CONFIG.experiments[wildcards.experiment].oracle
    return FILES.vqvae.format(experiment=oracle.of if oracle else wildcards.experiment)


def first_extractor(wildcards):
    """That of model selection, and of quality."""
    return CONFIG.experiments[wildcards.experiment].evaluation.extractors[0]


def reference(wildcards):
    """What samples are compared with."""
    of = CONFIG.experiments[wildcards.experiment].evaluation.reference
    return FILES.reference.format(reference=of, **wildcards)


def selection_reference(wildcards):
    """What model selection compares with."""
    of = CONFIG.experiments[wildcards.experiment].evaluation.reference
    return FILES.reference.format(
        experiment=wildcards.experiment,
        reference=of,
        extractor=first_extractor(wildcards),
    )


def sampled_prior(wildcards):
    """The prior from which a method samples: its own, or another's."""
    method = CONFIG.prior_of(wildcards.method)
    return FILES.tuned.format(experiment=wildcards.experiment, method=method)


def shards(pattern):
    """A file of every shard of every sampling seed of a method."""

    def of(wildcards):
        sampling = CONFIG.experiments[wildcards.experiment].sampling
        return expand(
            pattern, seed=sampling.seeds, shard=range(sampling.shards), **wildcards
        )

    return of


def priors(wildcards):
    """The priors of all levels of an experiment, coarse to fine."""
    levels = CONFIG.experiments[wildcards.experiment].grids
    return expand(FILES.prior, grid=levels, **wildcards)


def unknown_target(wildcards):
    """Says which name of a target that no rule makes is wrong."""
    targets.check(CONFIG, f"{FILES.results}/{wildcards.unknown}")
    raise WorkflowError(f"{FILES.results}/{wildcards.unknown}: no rule makes this file")
