"""Held-out distance against training time: what an hour of each method buys."""

from typing import TYPE_CHECKING, Self

import pandas as pd

from rarl.config import Config, TimeFigure
from rarl.config.stages.report import labels, plot_of
from rarl.layout import Layout, train_log
from rarl.report.canvas import GREY, Logs, canvas, frame, png
from rarl.report.kind import Inputs, Plot, PlotKind
from rarl.report.logs import read
from rarl.runtime.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Kind(PlotKind):
    """The lowest distance so far of each method of an experiment."""

    title: str
    labels: tuple[str, ...]  # of the methods

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = plot_of(config, name)
        assert isinstance(of, TimeFigure)  # by `rarl.kinds`
        return cls(title=of.title, labels=labels(config, of.experiment, of.rows))

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        of = plot_of(config, name)
        assert isinstance(of, TimeFigure)  # by `rarl.kinds`
        pattern = train_log(files.tuned)
        return {"logs": [pattern.format(experiment=of.experiment, method=row) for row in of.rows]}

    def plot(self, inputs: Inputs) -> Plot:
        logs = [read(path) for path in inputs["logs"]]
        methods = dict(zip(self.labels, logs, strict=True))
        return Plot(png(draw(methods, self.title)), to_csv(methods))


def draw(methods: Logs, title: str) -> "Figure":
    """The lowest distance so far of each method, as steps; the common budget as a line."""
    checks = progress(methods)
    figure = canvas(8, 5)
    axes = figure.subplots()
    frame(axes, title, "held-out Fréchet distance, best so far", "training time, s")
    for number, (label, own) in enumerate(checks.groupby("method", sort=False)):
        axes.plot(
            own["training_seconds"],
            own["best"],
            "o-",
            drawstyle="steps-post",
            color=f"C{number}",
            markersize=3,
            label=f"{label}, {own['step'].iloc[-1]} iterations",
        )
    axes.axvline(budget(checks), color=GREY, linestyle=":", label="common budget")
    axes.legend()
    return figure


def to_csv(methods: Logs) -> str:
    """`method,budget_seconds,distance,iteration,seconds,iterations`.

    What each method reached within the budget, at which iteration, and what its whole run took.
    """
    checks = progress(methods)
    limit = budget(checks)
    within = checks[checks["training_seconds"] <= limit].groupby("method", sort=False)
    best = checks.loc[within["distance"].idxmin()].set_index("method")
    whole = checks.groupby("method", sort=False)[["training_seconds", "step"]].last()
    rows = pd.DataFrame(
        {
            "budget_seconds": f"{limit:.2f}",
            "distance": best["distance"].map("{:.4f}".format),
            "iteration": best["step"],
            "seconds": whole["training_seconds"].map("{:.2f}".format),
            "iterations": whole["step"],
        }
    )
    return rows.loc[list(methods)].to_csv(index_label="method", lineterminator="\n")


def progress(methods: Logs) -> pd.DataFrame:
    """The checks of all methods: seconds of training until each, and the lowest distance so far.

    Raises `UserError` naming a method whose log holds none.
    """
    parts = []
    for label, log in methods.items():
        if not {"distance", "training_seconds"} <= set(log):
            raise UserError(f"{label}: its log holds no distances; run its fine-tuning again")
        checks = log.dropna(subset=["distance", "training_seconds"])
        parts.append(checks.assign(method=label, best=checks["distance"].cummin()))
    return pd.concat(parts, ignore_index=True)


def budget(checks: pd.DataFrame) -> float:
    """The time that every method has run for, seconds."""
    return float(checks.groupby("method")["training_seconds"].last().min())
