"""What the kinds of measured tables share: rows are methods, or one row without any."""

from typing import Self

from rarl.config import Config, Shown, training_seeds
from rarl.config.stages.report import Column, Measurements, Row, notes, row_label
from rarl.report.kind import TableKind


class MeasuredKind(Measurements, TableKind):
    """A kind of table of measurements of methods in experiments."""

    @classmethod
    def from_config(cls, config: Config, name: str) -> Self:
        of = config.tables[name]
        return cls(
            title=of.title,
            columns=columns_of(config, of),
            rows=tuple(Row(name=row, label=row_label(config, of, row)) for row in of.methods),
            paper=tuple(of.paper_values.get(row) for row in of.methods),
            notes=notes(config, of),
        )


def columns_of(config: Config, of: Shown) -> tuple[Column, ...]:
    """The experiments of a table."""
    return tuple(
        Column(
            name=name,
            heading=heading,
            training_seeds=training_seeds(config, of, name),
            extractors=config.experiments[name].evaluation.extractors,
        )
        for name, heading in of.headings.items()
    )
