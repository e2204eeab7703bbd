"""Held-out distance against training time: what an hour of each method buys. Imports no torch."""

import csv
import io
from itertools import accumulate

from matplotlib.figure import Figure

from rarl.report.curves import Log, frame
from rarl.runtime.errors import UserError


def draw(methods: dict[str, Log], title: str) -> Figure:
    """The lowest distance so far of each method, as steps; the common budget as a line."""
    figure = Figure(figsize=(8, 5), dpi=110, layout="constrained")
    axes = figure.subplots()
    frame(axes, title, "held-out Fréchet distance, best so far", "training time, s")
    for number, (label, log) in enumerate(methods.items()):
        seconds, best = progress(label, log)
        axes.plot(
            seconds,
            best,
            "o-",
            drawstyle="steps-post",
            color=f"C{number}",
            markersize=3,
            label=label,
        )
    axes.axvline(budget(methods), color="0.45", linestyle=":", label="common budget")
    axes.legend()
    return figure


def to_csv(methods: dict[str, Log]) -> str:
    """`method,budget_seconds,distance,seconds,iterations`: what each reached within the budget,
    and what its whole run took."""
    limit = budget(methods)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["method", "budget_seconds", "distance", "seconds", "iterations"])
    for label, log in methods.items():
        seconds, best = progress(label, log)
        reached = [value for second, value in zip(seconds, best, strict=True) if second <= limit]
        whole = [f"{seconds[-1]:.2f}", int(log[-1]["step"])]
        writer.writerow([label, f"{limit:.2f}", f"{reached[-1]:.4f}", *whole])
    return text.getvalue()


def progress(label: str, log: Log) -> tuple[list[float], list[float]]:
    """Training seconds at each check, and the lowest distance until then."""
    checks = [line for line in log if "distance" in line and "training_seconds" in line]
    if not checks:
        raise UserError(f"{label}: its metrics hold no distances; run its fine-tuning again")
    best = list(accumulate((line["distance"] for line in checks), min))
    return [line["training_seconds"] for line in checks], best


def budget(methods: dict[str, Log]) -> float:
    """The time that every method has run for, seconds."""
    return min(progress(label, log)[0][-1] for label, log in methods.items())
