"""What a VQ-VAE makes of held-out images, for the notes below a table. Imports no torch."""

from collections.abc import Sequence
from pathlib import Path

from rarl.report.logs import read, series
from rarl.runtime.errors import UserError


def lines(headings: Sequence[str], metrics: Sequence[Path]) -> list[str]:
    """One line of Markdown for each log of a VQ-VAE: its last evaluation.

    Raises `UserError` when a log has none.
    """
    return [
        f"- {heading}, validation images: {_line(path)}"
        for heading, path in zip(headings, metrics, strict=True)
    ]


def _line(path: Path) -> str:
    log = read(path)
    found = [series(log, name) for name in ("val_mse", "codes_in_use", "perplexity")]
    if any(of.empty for of in found):
        raise UserError(f"{path}: is no log of a VQ-VAE; delete it and run again")
    mse, share, perplexity = (of.iloc[-1] for of in found)
    return (
        f"mean squared error {mse:.4f} of pixels in [-1, 1]; {share:.0%} of the codes in use, "
        f"perplexity {perplexity:.1f}"
    )
