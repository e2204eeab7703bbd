"""What every file of results is. Imports no torch."""

from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from rarl.config import Settings
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_json


class Result(Settings):
    """The measurements of one job, and what made them."""

    provenance: dict[str, Any]  # `rarl.runtime.provenance`

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all. Raises ValueError for a value that is NaN."""
        write_json(path, self.model_dump(mode="json"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` wrote. Raises `UserError` when the file is missing or is something else."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(f"{path}: no such file; run the rule that makes it") from None
        except (ValidationError, UnicodeDecodeError) as error:
            raise UserError(
                f"{path}: is no {cls.__name__} of this version ({_first(error)}); delete it and "
                "run again"
            ) from None


def _first(error: ValidationError | UnicodeDecodeError) -> str:
    """The first of its faults."""
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else str(first["msg"])
