"""A table of Frechet distances (paper's Tables 1, 2, 3 and 12). Imports no torch."""

from collections.abc import Sequence

from rarl.report.distances import Distance, common_protocol
from rarl.report.sheet import Sheet, in_rows, measured_rows
from rarl.stage_settings import TableSettings


def sheet(distances: Sequence[Distance], settings: TableSettings) -> Sheet:
    """Row-major distances: mean ± deviation over the sampling seeds, the protocol below.

    Raises `UserError` when the distances of a column were not computed alike.
    """
    rows = in_rows(distances, len(settings.labels))
    columns = [list(column) for column in zip(*rows, strict=True)]
    protocols = [
        common_protocol(column, heading)
        for column, heading in zip(columns, settings.headings, strict=True)
    ]
    lines = measured_rows([[(cell.mean, cell.std) for cell in row] for row in rows], settings)
    spread = ": mean ± standard deviation over the seeds" if distances[0].seeds else ""
    notes = [f"Fréchet distances, lower is better{spread}.", ""]
    for heading, protocol, column in zip(settings.headings, protocols, columns, strict=True):
        seeds = ", ".join(str(seed) for seed in column[0].seeds)
        drawn = f"; sampling seeds {seeds}" if seeds else ""
        notes.append(f"- {heading}: {protocol.line()}{drawn}")
        warnings = dict.fromkeys(cell.warning for cell in column if cell.warning)
        notes += [f"- {heading}: warning: {warning}" for warning in warnings]
    if any(settings.paper):
        foreign = {protocol.label for protocol in protocols} - {"FID"}
        verdict = f", not comparable with {' or '.join(sorted(foreign))}" if foreign else ""
        notes += ["", f"(paper: …) is the paper's FID on its own pictures{verdict}."]
    return Sheet(settings.title, "Method", settings.headings, lines, notes)
