"""How a document shows a result: `docs/views.yaml`, typed.

A view is a table, a value in a sentence, a number of a JSON file, or a table of JSON records. A
cell of a table is selected and formatted by what its table, its row and its column say together:
a column overlays a row, a row overlays the table.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rarl.config.overlay import overlay
from rarl.runtime.errors import UserError

VIEWS = Path(__file__).with_name("views.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cell(_Strict):
    """One measurement of a long CSV, and how it is written."""

    experiment: str
    method: str
    metric: str
    extractor: str | None = None  # needed where a metric was measured with several
    spread: Literal["none", "deviation", "interval"]  # behind ±; interval: half of the 95% interval
    style: Literal["number", "percent"]
    digits: int
    against: str | None = None  # a method: the change from its mean is written, too


class TableView(_Strict):
    kind: Literal["table"]
    file: str  # NAME.long.csv of docs/results
    heading: str  # of the row labels
    caption: str  # below; `{count}` is the number of seeds behind a cell
    show: dict[str, Any]  # what holds for all cells
    rows: dict[str, dict[str, Any]]  # label: what holds for its cells
    columns: dict[str, dict[str, Any]]

    def cell(self, row: str, column: str) -> Cell:
        """Raises ValidationError when a cell is not fully said."""
        said = overlay(overlay(self.show, self.rows[row]), self.columns[column])
        return Cell.model_validate(said)


class ValueView(_Strict):
    kind: Literal["value"]
    file: str  # NAME.long.csv
    show: Cell


class NumberView(_Strict):
    kind: Literal["number"]
    file: str  # NAME.json
    key: str  # dotted
    format: str  # as of str.format, e.g. "{:.0f}"


class RecordsView(_Strict):
    kind: Literal["records"]
    file: str  # NAME.json
    key: str  # dotted; a list of records
    columns: dict[str, str]  # heading: how a record is written, e.g. "{seconds:.1f}"


View = Annotated[TableView | ValueView | NumberView | RecordsView, Field(discriminator="kind")]
ALL = TypeAdapter(dict[str, View])


def load(path: Path = VIEWS) -> dict[str, View]:
    """All views. Raises `UserError`."""
    try:
        return ALL.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {where}: {first['msg']}") from None
