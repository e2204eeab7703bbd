"""Stage `samples_figure`: samples, experiments one below the other, methods side by side."""

from pathlib import Path

from rarl.config.stages.report import SamplesFigureSettings
from rarl.image_grid import heading, joined, write
from rarl.models.vqvae_file import load_vqvae
from rarl.report.table import in_rows
from rarl.runtime import device
from rarl.stages._image_row import strip

Settings = SamplesFigureSettings


def run(
    settings: SamplesFigureSettings,
    *,
    vqvaes: list[Path],
    samples: list[Path],
    finetunings: list[Path],
    output: Path,
) -> None:
    """`samples` go experiment by experiment: the methods of the first, then of the second.

    `finetunings`, in the same order, are the logs of what made each prior.
    """
    rows = (in_rows(paths, len(settings.labels)) for paths in (samples, finetunings))
    strips = [
        strip(load_vqvae(vqvae, device.pick()), *of)
        for vqvae, *of in zip(vqvaes, settings.labels, *rows, strict=True)
    ]
    write(joined([heading(settings.title), *strips], across=False), output)
