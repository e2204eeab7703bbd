# What the rules share: where files lie, and what a rule passes to its command.

import os
import re
import sys

RARL = f"{sys.executable} -m rarl.cli"  # by the interpreter that runs Snakemake, activated or not
STAGE = (
    "{RARL} {rule} --threads {threads} --settings {params.settings:q} --code {params.code}"
    " > {log:q} 2>&1"
)

LONG = 1  # priority of the stages that train: none of them is left for the end, on one core

RESULTS = os.path.normpath(CONFIG.results)
RUN = f"{RESULTS}/{{experiment}}"
BRANCH = f"{RUN}/{{method}}"
MANIFEST = f"{RESULTS}/data/{{dataset}}-{{image_size}}/manifest.json"
TABLE = f"{RESULTS}/tables/{{table}}.csv"
FIGURES = f"{RESULTS}/figures"
LOGS = f"{RESULTS}/logs"
BENCHMARKS = f"{RESULTS}/benchmarks"


def one_of(names):
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    dataset=one_of(CONFIG.datasets),
    image_size=r"\d+",
    experiment=one_of(CONFIG.experiments),
    method=one_of(CONFIG.methods),
    grid="single|top|bottom",
    seed=r"\d+",
    table=one_of(CONFIG.tables),


def manifest(wildcards):
    of = CONFIG.experiments[wildcards.experiment]
    return MANIFEST.format(dataset=of.dataset, image_size=of.image_size)


def seeds(wildcards):
    return CONFIG.experiments[wildcards.experiment].sampling.seeds


def grids(pattern):
    """A file of every code grid of an experiment, coarse to fine."""
    return lambda wildcards: expand(
        pattern, grid=CONFIG.experiments[wildcards.experiment].grids, **wildcards
    )


def branches(pattern):
    """A file of every method in the figures of an experiment."""
    return lambda wildcards: expand(
        pattern,
        experiment=wildcards.experiment,
        method=plan.methods(CONFIG, wildcards.experiment),
        seed=seeds(wildcards)[0],
    )
