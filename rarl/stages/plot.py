"""Stage `plot`: results to a plot of any kind, as an image and the values in it."""

import json
from pathlib import Path

from rarl import kinds
from rarl.config.stages.report import PlotSettings
from rarl.report.kind import PlotKind, by_name
from rarl.runtime.files import atomic, write_text

Settings = PlotSettings


def run(settings: PlotSettings, *, inputs: list[Path] | None, output: Path, csv: Path) -> None:
    """`inputs` go group by group, as `settings.inputs` says."""
    chosen: type[PlotKind] = kinds.load(kinds.PLOTS, settings.kind).Kind
    kind = chosen.from_json(json.dumps(settings.content))
    plot = kind.plot(by_name(settings.inputs, inputs or []))
    write_text(csv, plot.csv)
    with atomic(output) as temporary:
        temporary.write_bytes(plot.png)
