"""Learning curves of an experiment, from the logs of the stages that train."""

from typing import TYPE_CHECKING, Self

import pandas as pd

from rarl.config import Config, CurvesFigure
from rarl.config.stages.report import labels, plot_of
from rarl.layout import Layout
from rarl.report.canvas import GREY, Logs, canvas, frame, png
from rarl.report.inputs import training_logs
from rarl.report.kind import Inputs, Plot, PlotKind
from rarl.report.logs import read, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Kind(PlotKind):
    """Nine panels: the VQ-VAE and the priors above, the methods of fine-tuning together below."""

    title: str
    levels: tuple[str, ...]  # of the priors, coarse to fine
    labels: tuple[str, ...]  # of the methods

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = plot_of(config, name)
        assert isinstance(of, CurvesFigure)  # by `rarl.kinds`
        return cls(
            title=of.title,
            levels=config.experiments[of.experiment].grids,
            labels=labels(config, of.experiment, of.rows),
        )

    @classmethod
    def inputs(cls, config: Config, files: Layout, name: str) -> dict[str, list[str]]:
        of = plot_of(config, name)
        assert isinstance(of, CurvesFigure)  # by `rarl.kinds`
        return {"logs": training_logs(config, files, of.experiment, of.rows)}

    def plot(self, inputs: Inputs) -> Plot:
        vqvae, *others = [read(path) for path in inputs["logs"]]
        count = len(self.levels)
        priors = dict(zip(self.levels, others[:count], strict=True))
        methods = dict(zip(self.labels, others[count:], strict=True))
        text = tidy({"vqvae": vqvae} | priors | methods).to_csv(index=False, lineterminator="\n")
        return Plot(png(draw(vqvae, priors, methods, self.title)), text)


def tidy(logs: Logs) -> pd.DataFrame:
    """`log,step,metric,value`: all numbers of the logs but times, which differ from run to run."""
    parts = []
    for label, log in logs.items():
        numbers = log.select_dtypes("number")
        kept = [name for name in map(str, numbers) if name != "step" and "seconds" not in name]
        part = numbers.melt("step", kept, var_name="metric").dropna(subset="value")
        parts.append(part.assign(log=label)[["log", "step", "metric", "value"]])
    return pd.concat(parts, ignore_index=True)


def draw(vqvae: pd.DataFrame, priors: Logs, methods: Logs, title: str) -> "Figure":
    """From the logs of the VQ-VAE, of the priors by level and of the methods by label."""
    figure = canvas(13, 10)
    figure.suptitle(title, fontweight="bold")
    panels = figure.subplots(3, 3)
    _vqvae(panels[0, 0], panels[0, 1], vqvae)
    _priors(panels[0, 2], priors)
    below = list(panels[1:].flat)
    _together(below[0], methods, "distance", "held-out distance", "Fréchet distance")
    _together(below[1], methods, "val_nll", "validation NLL", "nats per code")
    scored = {  # a method keeps its colour, shown or not
        label: log if "wasserstein" in log else log.iloc[:0] for label, log in methods.items()
    }
    _together(below[2], scored, "reward_mean", "reward of samples", "critic's score")
    _judges(below[3], methods)
    _together(below[4], methods, "kl", "KL to the start", "nats per image")
    _together(below[5], methods, "entropy", "entropy of the policy", "nats per code")
    colours = [handle for axes in below for handle in axes.get_legend_handles_labels()[0]]
    labelled = {str(handle.get_label()): handle for handle in colours}
    figure.legend(list(labelled.values()), list(labelled), loc="outside lower center", ncols=6)
    return figure


def _vqvae(left: "Axes", right: "Axes", log: pd.DataFrame) -> None:
    frame(left, "VQ-VAE: reconstruction", "mean squared error", "step")
    left.plot(series(log, "mse"), color=GREY, linewidth=1, label="train")
    left.plot(series(log, "val_mse"), "o-", color="C3", markersize=3, label="validation")
    left.set_yscale("log")
    left.legend()
    frame(right, "VQ-VAE: use of the codebook", "share of codes in use", "step")
    right.plot(series(log, "codes_in_use"), color="C0", label="codes in use")
    right.set_ylim(0, 1.05)
    perplexity = right.twinx()
    perplexity.plot(series(log, "perplexity"), color=GREY, linewidth=1, label="perplexity")
    perplexity.set_ylabel("perplexity, codes")
    perplexity.set_ylim(bottom=0)
    handles = [*right.get_lines(), *perplexity.get_lines()]
    right.legend(handles=handles, loc="lower right")


def _priors(axes: "Axes", logs: Logs) -> None:
    """A grid of codes keeps its colour; training thin, validation with dots."""
    frame(axes, "Prior" if len(logs) == 1 else "Priors", "NLL, nats per code", "step")
    for number, (grid, log) in enumerate(logs.items()):
        name = "" if len(logs) == 1 else f"{grid}, "
        colour = f"C{3 - number}"
        axes.plot(series(log, "nll"), color=colour, alpha=0.4, label=f"{name}train")
        axes.plot(
            series(log, "val_nll"), "o-", color=colour, markersize=3, label=f"{name}validation"
        )
    axes.legend()


def _together(axes: "Axes", methods: Logs, name: str, title: str, unit: str) -> None:
    """One metric of all methods that log it; each method keeps its colour in every panel.

    A ring marks the iteration that model selection kept.
    """
    frame(axes, f"Fine-tuning: {title}", unit, "iteration")
    for number, (label, log) in enumerate(methods.items()):
        values = series(log, name)
        if values.empty:
            continue
        axes.plot(
            values,
            color=f"C{number}",
            linewidth=1.2,
            marker="o" if len(values) <= 40 else "",
            markersize=3,
            label=label,
        )
        ring = values[values.index.isin(series(log, "selected_iteration").tail(1))]
        if len(ring):
            axes.plot(ring, "o", color=f"C{number}", fillstyle="none", markersize=9)
    if not axes.lines:
        axes.text(0.5, 0.5, "not logged", transform=axes.transAxes, ha="center", color=GREY)


def _judges(axes: "Axes", methods: Logs) -> None:
    """What gives the reward: a critic on the left, a distance to the data on the right."""
    critics, distances = (
        any(name in log for log in methods.values()) for name in ("wasserstein", "window_distance")
    )
    unit = "rollouts' Fréchet distance"
    if not distances:
        _together(axes, methods, "wasserstein", "critic", "Wasserstein estimate")
    elif not critics:
        _together(axes, methods, "window_distance", "what is rewarded", unit)
    else:
        _together(axes, methods, "wasserstein", "critic, or distance", "Wasserstein estimate")
        right = axes.twinx()
        _together(right, methods, "window_distance", "", unit)
        right.set_title("")  # it would lie over the left one's
        for line in right.lines:
            line.set_linestyle("--")
