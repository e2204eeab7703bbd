"""What all plots from logs share. Imports no torch, and matplotlib only to draw."""

from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Logs = dict[str, pd.DataFrame]  # of training runs, by label
GREY = "0.45"


def canvas(width: float, height: float) -> "Figure":
    """An empty figure; inches. Without pyplot, hence with the Agg canvas: it needs no display."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - half a second that planning does not need

    return Figure(figsize=(width, height), dpi=110, layout="constrained")


def frame(axes: "Axes", title: str, y: str, x: str) -> None:
    """Titles and a mesh behind the data."""
    axes.set_title(title, fontsize=10)
    axes.set_ylabel(y)
    axes.set_xlabel(x)
    axes.grid(alpha=0.3)
    axes.spines[["top"]].set_visible(False)


def png(figure: "Figure") -> bytes:
    """As an image file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
