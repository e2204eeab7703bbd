"""Where the results of a configuration lie: known here and nowhere else. Imports no torch."""

import os
from pathlib import Path

ACCEPTED = "accepted.jsonl"


class Layout:
    """Patterns of the files below the folder of results, with Snakemake's wildcards in braces.

    `layout.prior.format(experiment="openmoji-64-8", level="single")` is the name of one file.
    """

    def __init__(self, results: str) -> None:
        root = os.path.normpath(results)
        experiment = f"{root}/{{experiment}}"
        method = f"{experiment}/{{method}}"
        self.results = root
        self.logs = f"{root}/logs"
        self.benchmarks = f"{root}/benchmarks"

        # Of a data set at one size.
        self.manifest = f"{root}/data/{{dataset}}-{{image_size}}/manifest.json"

        # Of an experiment: its models, and what its evaluation compares with.
        self.vqvae = f"{experiment}/vqvae.safetensors"
        self.codes = f"{experiment}/codes.safetensors"
        self.prior = f"{experiment}/prior-{{grid}}.safetensors"
        self.oracle = f"{experiment}/oracle.safetensors"
        self.oracle_codes = f"{experiment}/oracle-codes.safetensors"
        self.reference = f"{experiment}/reference-{{reference}}-{{extractor}}.npz"  # moments
        self.real_features = f"{experiment}/features-real-{{extractor}}.safetensors"
        self.reconstruction = f"{experiment}/reconstruction-{{extractor}}.json"

        # Of real images in the place of samples, held out of what the evaluation compares with.
        self.held_out_features = f"{experiment}/features-held-out-{{extractor}}.safetensors"
        self.held_out_distance = f"{experiment}/distance-held-out-{{extractor}}.json"
        self.held_out_quality = f"{experiment}/quality-held-out.json"

        # Of a method in an experiment.
        self.tuned = f"{method}/prior.safetensors"
        self.critic = f"{method}/critic.safetensors"
        self.reward_reference = f"{method}/reward-reference.npz"
        self.samples = f"{method}/samples-{{seed}}-{{shard}}.safetensors"
        self.timing = f"{method}/samples-{{seed}}-{{shard}}.json"
        self.features = f"{method}/features-{{extractor}}-{{seed}}-{{shard}}.safetensors"
        self.distance = f"{method}/distance-{{extractor}}.json"
        self.quality = f"{method}/quality.json"
        self.nll = f"{method}/nll.json"
        self.seconds = f"{method}/seconds-{{table}}.json"

        # What people read.
        self.table = f"{root}/tables/{{table}}.csv"
        self.long_table = f"{root}/tables/{{table}}.long.csv"  # the tidy frame behind it
        self.markdown = f"{root}/tables/{{table}}.md"
        self.page = f"{root}/tables/{{table}}.html"  # of Snakemake's report
        self.plot = f"{root}/figures/{{figure}}.png"
        self.plotted = f"{root}/figures/{{figure}}.csv"  # the values in it
        self.accepted = f"{root}/{ACCEPTED}"


def accepted_beside(table: Path) -> Path:
    """The log of `rarl accept` in the folder of results that holds a table."""
    return table.parent.parent / ACCEPTED


def train_log(model: str) -> str:
    """The JSON lines that the training of a model wrote beside it."""
    return model.removesuffix(".safetensors") + ".jsonl"
