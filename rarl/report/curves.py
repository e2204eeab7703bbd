"""Learning curves from the logs of the training stages. Imports no torch."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rarl.report.logs import series

Logs = dict[str, pd.DataFrame]  # of training runs, by label
GREY = "0.45"


def draw(vqvae: pd.DataFrame, priors: Logs, methods: Logs, title: str) -> Figure:
    """Nine panels: the VQ-VAE and the priors above, the methods of fine-tuning together below.

    Drawn without pyplot, hence with the Agg canvas: needs no display.
    """
    figure = Figure(figsize=(13, 10), dpi=110, layout="constrained")
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
    _together(below[4], methods, "kl", "KL to the start", "nats per picture")
    _together(below[5], methods, "entropy", "entropy of the policy", "nats per code")
    colours = [handle for axes in below for handle in axes.get_legend_handles_labels()[0]]
    labelled = {str(handle.get_label()): handle for handle in colours}
    figure.legend(list(labelled.values()), list(labelled), loc="outside lower center", ncols=6)
    return figure


def _vqvae(left: Axes, right: Axes, log: pd.DataFrame) -> None:
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


def _priors(axes: Axes, logs: Logs) -> None:
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


def _together(axes: Axes, methods: Logs, name: str, title: str, unit: str) -> None:
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


def _judges(axes: Axes, methods: Logs) -> None:
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


def frame(axes: Axes, title: str, y: str, x: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_ylabel(y)
    axes.set_xlabel(x)
    axes.grid(alpha=0.3)
    axes.spines[["top"]].set_visible(False)
