"""Samples: experiments one below the other, methods side by side.

Planning imports no torch; showing the samples does, as it decodes their codes.
"""

from io import BytesIO
from typing import Self

import pandas as pd

from rarl.config import Config, SamplesFigure
from rarl.config.stages.report import labels, plot_of
from rarl.layout import Layout
from rarl.report.inputs import finetunings, first_samples
from rarl.report.kind import Inputs, Plot, PlotKind
from rarl.report.logs import Selected, read_selected
from rarl.report.table import in_rows


class Kind(PlotKind):
    """The first samples of each method, with the iteration that made its prior."""

    title: str  # empty: none
    experiments: tuple[str, ...]  # top to bottom
    labels: tuple[tuple[str, ...], ...]  # of each experiment's methods, left to right

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = plot_of(config, name)
        assert isinstance(of, SamplesFigure)  # by `rarl.kinds`
        return cls(
            title=of.title,
            experiments=of.experiments,
            labels=tuple(
                tuple(
                    f"{heading}, {label}" if heading else label
                    for label in labels(config, experiment, of.rows)
                )
                for experiment, heading in of.columns.items()
            ),
        )

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        of = plot_of(config, name)
        found: dict[str, list[str]] = {"vqvaes": [], "samples": [], "finetunings": []}
        for experiment in of.experiments:
            found["vqvaes"].append(files.vqvae.format(experiment=experiment))
            found["samples"] += first_samples(config, files, experiment, of.methods)
            found["finetunings"] += finetunings(config, files, experiment, of.methods)
        return found

    def plot(self, inputs: Inputs) -> Plot:
        from rarl.report import image_rows  # noqa: PLC0415 - torch, which planning does not need

        height = len(self.experiments)
        logs = [read_selected(path) for path in inputs["finetunings"]]
        rows = in_rows(inputs["samples"], height), in_rows(logs, height)
        image = image_rows.image(self.title, inputs["vqvaes"], self.labels, *rows)
        buffer = BytesIO()
        image.save(buffer, "PNG")
        return Plot(
            buffer.getvalue(), self._shown(rows[1]).to_csv(index=False, lineterminator="\n")
        )

    def _shown(self, selected: list[list[Selected]]) -> pd.DataFrame:
        """What each block shows."""
        return pd.DataFrame(
            [
                (experiment, label, of.iteration, of.iterations)
                for experiment, names, row in zip(
                    self.experiments, self.labels, selected, strict=True
                )
                for label, of in zip(names, row, strict=True)
            ],
            columns=["experiment", "label", "iteration", "iterations"],
        )
