"""Stage `samples_figure`: samples, experiments one below the other, methods side by side."""

from pathlib import Path

from rarl.models.saved import load_vqvae
from rarl.pictures import joined, write
from rarl.report.sheet import in_rows
from rarl.runtime import device
from rarl.stage_settings import SamplesFigureSettings
from rarl.stages._strip import strip

Settings = SamplesFigureSettings


def run(
    settings: SamplesFigureSettings, *, vqvaes: list[Path], samples: list[Path], output: Path
) -> None:
    """`samples` go experiment by experiment: the methods of the first, then of the second."""
    rows = in_rows(samples, len(settings.headings))
    strips = [
        strip(load_vqvae(vqvae, device.pick()), [f"{heading}, {x}" for x in settings.labels], row)
        for heading, vqvae, row in zip(settings.headings, vqvaes, rows, strict=True)
    ]
    write(joined(strips, across=False), output)
