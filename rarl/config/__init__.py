"""The configuration: what a YAML file may say, checked before any job starts.

`load(path)` reads a file, `parse(mapping)` checks what Snakemake has read. Both give a frozen
`Config` whose experiments are complete: every experiment is `defaults` overlaid by its own keys,
so no default hides in code. Everything wrong is a `ConfigError` of one line: which key, which
value, what to write instead.

Imports no torch: the Snakefile and the reports use it.
"""

from rarl.config.datasets import (
    CELEBA_HEIGHT,
    CELEBA_WIDTH,
    CelebA,
    CelebAHQ,
    Crop,
    Dataset,
    Folder,
    Lsun,
    OpenMoji,
)
from rarl.config.document import RESERVED, Config, Method, Table
from rarl.config.experiment import (
    Critic,
    Evaluation,
    Experiment,
    Finetuning,
    Part,
    Prior,
    Priors,
    Rl,
    Sampling,
    Vqvae,
)
from rarl.config.faults import ConfigError, nearest
from rarl.config.fields import (
    Count,
    CountOrZero,
    Name,
    Positive,
    Real,
    Settings,
)
from rarl.config.reading import load, parse

__all__ = [
    "CELEBA_HEIGHT",
    "CELEBA_WIDTH",
    "RESERVED",
    "CelebA",
    "CelebAHQ",
    "Config",
    "ConfigError",
    "Count",
    "CountOrZero",
    "Critic",
    "Crop",
    "Dataset",
    "Evaluation",
    "Experiment",
    "Finetuning",
    "Folder",
    "Lsun",
    "Method",
    "Name",
    "OpenMoji",
    "Part",
    "Positive",
    "Prior",
    "Priors",
    "Real",
    "Rl",
    "Sampling",
    "Settings",
    "Table",
    "Vqvae",
    "load",
    "nearest",
    "parse",
]
