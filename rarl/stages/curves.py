"""Stage `curves`: training logs to learning curves, as a picture."""

from pathlib import Path

from rarl.config.stages.report import CurvesSettings as Settings
from rarl.report.curves import draw
from rarl.report.logs import read
from rarl.runtime.files import atomic

__all__ = ["Settings", "run"]


def run(settings: Settings, *, metrics: list[Path], output: Path) -> None:
    """`metrics` are the JSON lines of the VQ-VAE, each grid's prior, then each method."""
    vqvae, *others = [read(path) for path in metrics]
    count = len(settings.grids)
    priors = dict(zip(settings.grids, others[:count], strict=True))
    methods = dict(zip(settings.labels, others[count:], strict=True))
    figure = draw(vqvae, priors, methods, settings.title)
    with atomic(output) as temporary:
        figure.savefig(temporary, format="png")
