"""Stage `table`: results to a table of any kind, as CSV, tidy CSV and Markdown."""

import json
from pathlib import Path

from rarl import kinds
from rarl.config.stages.report import TableSettings
from rarl.layout import accepted_beside
from rarl.report import accepted
from rarl.report.kind import TableKind, by_name
from rarl.runtime.files import write_text

Settings = TableSettings


def run(
    settings: TableSettings, *, inputs: list[Path] | None, csv: Path, long: Path, markdown: Path
) -> None:
    """Show the values in `csv`, the tidy frame behind them in `long`, and both for people.

    `inputs` go group by group, as `settings.inputs` says. The Markdown says which files below the
    table `rarl accept` let stand.
    """
    chosen: type[TableKind] = kinds.load(kinds.TABLES, settings.kind).Kind
    kind = chosen.from_json(json.dumps(settings.content))
    table = kind.table(by_name(settings.inputs, inputs or []))
    table = table.with_notes(accepted.lines(accepted_beside(markdown), markdown))
    write_text(markdown, table.markdown())
    write_text(long, table.long_csv())
    write_text(csv, table.csv())
