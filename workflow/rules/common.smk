# What the rules share: where files lie, and what a rule passes to its command.

import os
import re
import shlex
import sys

RARL = f"{shlex.quote(sys.executable)} -m rarl.cli"  # by the interpreter that runs Snakemake, activated or not


def stage(name):
    """The command of a stage; most rules bear the name of theirs."""
    return (
        f"{{RARL}} {name} --threads {{threads}} {{CHECKPOINTS}} --settings {{params.settings:q}}"
        " --code {params.code} > {log:q} 2>&1"
    )


def code(stage, kinds=()):
    """The fingerprint of a stage's code; kept is what `rarl accept` explains a change of it by."""
    return records.code(stage, kinds)


# Not among the parameters, a change of which would run everything again.
CHECKPOINTS = (
    f"--checkpoint-seconds {CONFIG.checkpoints.every_seconds}"
    f" --checkpoint-steps {CONFIG.checkpoints.every_steps}"
    f" --shutdown-seconds {CONFIG.checkpoints.shutdown_seconds}"
)

STAGE = stage("{rule}")

# Of what trains: its rule's parameters hold the number of processes, and each gets a core.
TRAIN = STAGE + " --gpus {params.gpus}"

LONG = 1  # priority of the stages that train: none of them is left for the end, on one core

RESULTS = os.path.normpath(CONFIG.results)
RUN = f"{RESULTS}/{{experiment}}"
BRANCH = f"{RUN}/{{method}}"
MANIFEST = f"{RESULTS}/data/{{dataset}}-{{image_size}}/manifest.json"
TABLE = f"{RESULTS}/tables/{{table}}.csv"
LONG_TABLE = f"{RESULTS}/tables/{{table}}.long.csv"  # the tidy frame behind it
MARKDOWN = f"{RESULTS}/tables/{{table}}.md"
PAGE = f"{RESULTS}/tables/{{table}}.html"  # of the report
FIGURES = f"{RESULTS}/figures"
SAMPLES = f"{BRANCH}/samples-{{seed}}-{{shard}}.safetensors"
TIMING = f"{BRANCH}/samples-{{seed}}-{{shard}}.json"
FEATURES = f"{BRANCH}/features-{{seed}}-{{shard}}.safetensors"
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"


ORACLES = {name for name, of in CONFIG.experiments.items() if of.oracle}
REJECTIONS = {
    name for name, of in CONFIG.methods.items() if of.objective == "rejection"
}


def gpus(stage):
    """Processes that share every batch of a stage of an experiment."""
    return lambda wildcards: getattr(
        CONFIG.experiments[wildcards.experiment].gpus, stage
    )


def one_of(names):
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


def figures_of(kind):
    return one_of(name for name, of in CONFIG.figures.items() if of.kind == kind)


def tables_of(*kinds):
    return one_of(name for name, of in CONFIG.tables.items() if of.kind in kinds)


wildcard_constraints:
    dataset=one_of(CONFIG.datasets),
    image_size=r"\d+",
    experiment=one_of(CONFIG.experiments),
    method=one_of(CONFIG.methods),
    grid="single|top|bottom",
    seed=r"\d+",
    shard=r"\d+",
    table=one_of(CONFIG.tables),


def manifest(wildcards):
    of = CONFIG.experiments[wildcards.experiment]
    return MANIFEST.format(dataset=of.dataset, image_size=of.image_size)


def codes(wildcards):
    """What the priors learn: the pictures' codes, or an oracle's."""
    name = "oracle-codes" if wildcards.experiment in ORACLES else "codes"
    return f"{RUN}/{name}.safetensors".format(**wildcards)


def decoder(wildcards):
    """The VQ-VAE of an experiment's codes: its own, or that of the oracle's."""
    oracle = CONFIG.experiments[wildcards.experiment].oracle
    return f"{RUN}/vqvae.safetensors".format(
        experiment=oracle.of if oracle else wildcards.experiment
    )


def reference(wildcards):
    of = CONFIG.experiments[wildcards.experiment].evaluation.reference
    return f"{RUN}/reference-{of}.npz".format(**wildcards)


def reward_reference(wildcards):
    """To what the reward of a method is a distance, where it is one."""
    if not plan.rewarded_by_distance(CONFIG, wildcards.experiment, wildcards.method):
        return []
    return f"{BRANCH}/reward-reference.npz".format(**wildcards)


def reward_decoder(wildcards):
    """What an oracle experiment needs beside its codes, where images are rewarded."""
    images = plan.rewarded_for_images(CONFIG, wildcards.experiment, wildcards.method)
    return decoder(wildcards) if images else []


def drawn_prior(wildcards):
    """The prior from which a method draws: its own, or another's."""
    method = CONFIG.prior_of(wildcards.method)
    return f"{BRANCH}/prior.safetensors".format(
        experiment=wildcards.experiment, method=method
    )


def drawn(pattern):
    """A file of every shard of every sampling seed of a method."""

    def of(wildcards):
        sampling = CONFIG.experiments[wildcards.experiment].sampling
        shards = range(sampling.shards)
        return expand(pattern, seed=sampling.seeds, shard=shards, **wildcards)

    return of


def finetunings(experiment, methods):
    """The log of what fine-tuned the prior from which each method draws."""
    return expand(
        f"{BRANCH}/prior.jsonl",
        experiment=experiment,
        method=[CONFIG.prior_of(method) for method in methods],
    )


def first_drawn(experiment, methods):
    """The first samples of each method: what pictures of them show."""
    seed = CONFIG.experiments[experiment].sampling.seeds[0]
    return expand(SAMPLES, experiment=experiment, method=methods, seed=seed, shard=0)


def grids(pattern):
    """A file of every code grid of an experiment, coarse to fine."""
    return lambda wildcards: expand(
        pattern, grid=CONFIG.experiments[wildcards.experiment].grids, **wildcards
    )
