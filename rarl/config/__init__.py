"""The configuration: what a YAML file may say, checked before any job starts.

`load(path)` reads a file, `parse(mapping)` checks what Snakemake has read. Both give a frozen
`Config` whose experiments are complete: every experiment is `defaults` overlaid by its own keys,
so no default hides in code. Everything wrong is a `ConfigError` of one line: which key, which
value, what to write instead.

Imports no torch: the Snakefile and the reports use it.
"""

from rarl.config.credits import IntermediateCredit, SingleCredit
from rarl.config.datasets import (
    Background,
    CelebA,
    CelebAHQ,
    Crop,
    Dataset,
    Folder,
    Lsun,
    OpenMoji,
    PackageFile,
    Tiles,
)
from rarl.config.document import LONG, RESERVED, Config, Finetuned, Method, Rejection, Tempered
from rarl.config.errors import ConfigError, nearest
from rarl.config.experiment import Evaluation, Experiment, Limit, Limits, Oracle, Sampling
from rarl.config.fields import (
    Count,
    CountOrZero,
    ExtractorName,
    Name,
    Positive,
    Precision,
    Real,
    Settings,
)
from rarl.config.finetuning import Discriminative, ExperimentRl, Finetuning, Part, Rl
from rarl.config.models import SINGLE, Adversarial, Perceptual, PixelCnn, Prior, Priors, Vqvae
from rarl.config.reading import load, parse
from rarl.config.replicas import runs_of, training_seeds
from rarl.config.rewards import (
    Critic,
    CriticSettings,
    ExtractorChoice,
    Frechet,
    PixelCritic,
    ProjectedCritic,
    Python,
    RewardSettings,
)
from rarl.config.tables import (
    ArchitectureTable,
    CurvesFigure,
    DistanceTable,
    Figure,
    NllTable,
    QualityTable,
    ReconstructionTable,
    ReplicatedTable,
    SamplesFigure,
    SecondsTable,
    Shown,
    Table,
    TimeFigure,
)

__all__ = [
    "LONG",
    "RESERVED",
    "SINGLE",
    "Adversarial",
    "ArchitectureTable",
    "Background",
    "CelebA",
    "CelebAHQ",
    "Config",
    "ConfigError",
    "Count",
    "CountOrZero",
    "Critic",
    "CriticSettings",
    "Crop",
    "CurvesFigure",
    "Dataset",
    "Discriminative",
    "DistanceTable",
    "Evaluation",
    "Experiment",
    "ExperimentRl",
    "ExtractorChoice",
    "ExtractorName",
    "Figure",
    "Finetuned",
    "Finetuning",
    "Folder",
    "Frechet",
    "IntermediateCredit",
    "Limit",
    "Limits",
    "Lsun",
    "Method",
    "Name",
    "NllTable",
    "OpenMoji",
    "Oracle",
    "PackageFile",
    "Part",
    "Perceptual",
    "PixelCnn",
    "PixelCritic",
    "Positive",
    "Precision",
    "Prior",
    "Priors",
    "ProjectedCritic",
    "Python",
    "QualityTable",
    "Real",
    "ReconstructionTable",
    "Rejection",
    "ReplicatedTable",
    "RewardSettings",
    "Rl",
    "SamplesFigure",
    "Sampling",
    "SecondsTable",
    "Settings",
    "Shown",
    "SingleCredit",
    "Table",
    "Tempered",
    "Tiles",
    "TimeFigure",
    "Vqvae",
    "load",
    "nearest",
    "parse",
    "runs_of",
    "training_seeds",
]
