"""Stage `curves`: training logs to learning curves, as a picture."""

from pathlib import Path

from rarl.plan import CurvesSettings as Settings
from rarl.report.curves import draw, read
from rarl.runtime.files import atomic

__all__ = ["Settings", "run"]


def run(settings: Settings, *, metrics: list[Path], output: Path) -> None:
    """`metrics` are the JSON lines of the VQ-VAE, the prior, then each method as labelled."""
    vqvae, prior, *methods = [read(path) for path in metrics]
    figure = draw(vqvae, prior, dict(zip(settings.labels, methods, strict=True)), settings.title)
    with atomic(output) as temporary:
        figure.savefig(temporary, format="png")
