"""Held-out distance against training time: what an hour of each method buys. Imports no torch."""

import pandas as pd
from matplotlib.figure import Figure

from rarl.report.curves import Logs, frame
from rarl.runtime.errors import UserError


def draw(methods: Logs, title: str) -> Figure:
    """The lowest distance so far of each method, as steps; the common budget as a line."""
    checks = progress(methods)
    figure = Figure(figsize=(8, 5), dpi=110, layout="constrained")
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
    axes.axvline(budget(checks), color="0.45", linestyle=":", label="common budget")
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
