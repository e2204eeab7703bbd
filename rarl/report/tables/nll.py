"""NLLs of the oracle experiment (paper's Table 4 and its text)."""

from collections.abc import Sequence

import pandas as pd

from rarl.config import Config
from rarl.layout import Layout
from rarl.report import run_warnings
from rarl.report.frame import gather, observe, runs, summarise, with_summary
from rarl.report.inputs import cells, finetunings_of_cells, logs_behind
from rarl.report.kind import Inputs
from rarl.report.logs import Selected, read_selected
from rarl.report.measured import iteration_notes, measured, pivot, spread_of, with_paper
from rarl.report.measured_kind import MeasuredKind
from rarl.report.table import Cell, Table
from rarl.results.nll import Nll

METRICS = ("NLL_oracle", "NLL_test")


class Kind(MeasuredKind):
    """Rows are methods of one experiment, columns the metrics."""

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        return {
            "nlls": cells(config, name, files.nll),
            "finetunings": finetunings_of_cells(config, files, name),
            "logs": logs_behind(config, files, name),
        }

    def table(self, inputs: Inputs) -> Table:
        found = self.made_of(
            [Nll.read(path) for path in inputs["nlls"]],
            [read_selected(path) for path in inputs["finetunings"]],
        )
        return found.with_notes(run_warnings.lines(inputs["logs"]))

    def made_of(self, results: Sequence[Nll], selected: Sequence[Selected]) -> Table:
        """One result of the stage `nll` for each method."""
        parts = []
        for run, of, kept in zip(runs(self), results, selected, strict=True):
            samples = of.nll_oracle, (of.nll_test,)
            counts = f"{of.count_samples:,} sampled", f"{of.count_val:,} held-out"
            for metric, values, count in zip(METRICS, samples, counts, strict=True):
                protocol = f"of {count} code grids"
                parts.append(
                    observe(run, metric, of.unit, values, protocol=protocol, selected=kept)
                )
        observations = gather(parts)
        summary = with_paper(summarise(observations, "sampling_seed"), self)
        shown = pivot(summary, _cell, rows=["method"], columns=["metric"])
        first = results[0]
        notes = [
            f"- NLL_oracle: the oracle's of {first.count_samples:,} code grids that the method "
            f"draws, {first.unit}, over {len(first.nll_oracle)} sampling seeds; of its own "
            f"draws the oracle's is {first.nll_oracle_of_its_own:.4f}",
            f"- NLL_test: the method's of {first.count_val:,} held-out grids of the oracle",
            *iteration_notes(observations, self),
            *self.notes,
        ]
        return Table(
            self.title,
            "Method",
            shown.labelled([row.label for row in self.rows], METRICS),
            with_summary(observations, summary),
            notes,
        )


def _cell(line: pd.Series) -> Cell:
    return measured(line["mean"], spread_of(line), 4, start=line["start"])
