"""The kinds among which a configuration chooses, and the module behind each.

A registry imports the module of the chosen kind alone, by `load`. The fingerprint of a stage's code
does not cover this file: it covers the modules of the kinds that the stage's settings choose
(`Settings.kinds`). So a new kind is a module and a line here, and re-runs nothing.
"""

import importlib
from types import ModuleType

DATASETS = {
    "celeba": "rarl.data.celeba",
    "celeba_hq": "rarl.data.folder",
    "folder": "rarl.data.folder",
    "lsun": "rarl.data.lsun",
    "openmoji": "rarl.data.openmoji",
    "tiles": "rarl.data.tiles",
}
EXTRACTORS = {
    "clip_vitb32": "rarl.metrics.vision_transformer",
    "dinov2_vitl14": "rarl.metrics.vision_transformer",
    "dinov2_vits14": "rarl.metrics.vision_transformer",
    "efficientnet_lite0": "rarl.metrics.efficientnet",
    "efficientnet_lite1": "rarl.metrics.efficientnet",
    "efficientnet_lite2": "rarl.metrics.efficientnet",
    "inception": "rarl.metrics.inception",
    "mobilenet_v2": "rarl.metrics.mobilenet",
}
CRITICS = {  # networks
    "pixel": "rarl.rl.critics.pixel",
    "projected": "rarl.rl.critics.projected",
}
PRIORS = {
    "pixelcnn": "rarl.models.pixelcnn",
}
SAMPLERS = {  # of priors
    "pixelcnn": "rarl.models.pixelcnn_sampler",
}
OBJECTIVES = {  # of fine-tuning
    "discriminative": "rarl.rl.discriminative",
    "mle": "rarl.rl.mle",
    "reinforce": "rarl.rl.reinforce",
}
PLOTS = {
    "curves": "rarl.report.plots.curves",
    "samples": "rarl.report.plots.samples",
    "time": "rarl.report.plots.time",
}
REWARDS = {  # of reinforcement
    "critic": "rarl.rl.rewards.critic",
    "frechet": "rarl.rl.rewards.frechet",
    "python": "rarl.rl.rewards.python",
}
TABLES = {
    "architecture": "rarl.report.tables.architecture",
    "distance": "rarl.report.tables.distance",
    "nll": "rarl.report.tables.nll",
    "quality": "rarl.report.tables.quality",
    "reconstruction": "rarl.report.tables.reconstruction",
    "replicated": "rarl.report.tables.replicated",
    "seconds": "rarl.report.tables.seconds",
}
TOKENIZER_LOSSES = {  # beside those of pixels and of commitment
    "perceptual": "rarl.train.perceptual",
    "adversarial": "rarl.train.adversarial",
}
TRACKERS = {  # to which runs are given after the fact
    "tensorboard": "rarl.trackers.tensorboard",
    "trackio": "rarl.trackers.trackio",
}


def load(registry: dict[str, str], kind: str) -> ModuleType:
    """The module of a kind, imported now. Raises KeyError for an unknown kind."""
    return importlib.import_module(registry[kind])
