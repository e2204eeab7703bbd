"""Seconds to sample a batch of rollouts, whole or in part (paper's Table 11)."""

from collections.abc import Sequence
from typing import Self

import pandas as pd

from rarl.config import Config, SecondsTable
from rarl.config.stages.report import Row
from rarl.layout import Layout
from rarl.report.frame import gather, observe, runs, summarise, with_summary
from rarl.report.inputs import cells
from rarl.report.kind import Inputs
from rarl.report.measured import measured, paper_of, pivot, spread_of, with_paper
from rarl.report.measured_kind import MeasuredKind, columns_of
from rarl.report.table import Cell, Table
from rarl.results.seconds import Seconds


class Kind(MeasuredKind):
    """Rows are parts of an image, by the method that samples them."""

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = config.tables[name]
        assert isinstance(of, SecondsTable)  # by `rarl.kinds`
        return cls(
            title=of.title,
            columns=columns_of(config, of),
            rows=tuple(Row(name=row, label=label) for row, label in of.rows.items()),
            paper=tuple(of.paper.get(row) for row in of.rows),
            notes=(),
        )

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return {"seconds": cells(config, name, files.seconds)}

    def table(self, inputs: Inputs) -> Table:
        return self.made_of([Seconds.read(path) for path in inputs["seconds"]])

    def made_of(self, results: Sequence[Seconds]) -> Table:
        """One result of the stage `seconds` for each of the runs."""
        observations = gather(
            [
                observe(
                    run,
                    "seconds",
                    "s a batch",
                    of.seconds,
                    protocol=f"batch of {of.batch_size} on {of.device}",
                )
                for run, of in zip(runs(self), results, strict=True)
            ]
        )
        summary = with_paper(summarise(observations, "sampling_seed"), self)
        shown = pivot(summary, _cell, rows=["method"], columns=["experiment"])
        batches = sorted({of.batch_size for of in results})
        devices = sorted({of.device for of in results})
        notes = [
            f"Seconds to draw a batch of {' or '.join(map(str, batches))} images' codes, mean ± "
            f"standard deviation of {len(results[0].seconds)} batches; on {' and '.join(devices)}.",
            *self.notes,
        ]
        if any(value is not None for row in self.paper for value in row or ()):
            notes.append("(paper: …) is the paper's time on its own GPU with its own models.")
        headings = [column.heading for column in self.columns]
        return Table(
            self.title,
            "Method",
            shown.labelled([row.label for row in self.rows], headings),
            with_summary(observations, summary),
            notes,
        )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), paper=paper_of(line))
