"""What `rarl accept` let stand: the lines of `accepted.jsonl`. Imports no torch."""

from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from rarl.config import Settings
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_text


class AcceptedFile(Settings):
    """A file that stays as it is."""

    sha256: str
    old: dict[str, Any]  # `code` and `settings`, as recorded
    new: dict[str, Any]
    changed: tuple[str, ...]  # what differs between them, for people


class Acceptance(Settings):
    """One call of `rarl accept`."""

    when: str  # UTC, ISO 8601
    rarl: str  # its version
    outputs: dict[str, AcceptedFile]  # by path
    tables: tuple[str, ...]  # the Markdown files that rest on them

    def append(self, path: Path) -> None:
        """Adds a line to the file."""
        before = path.read_text(encoding="utf-8") if path.is_file() else ""
        write_text(path, before + self.to_json() + "\n")

    @classmethod
    def read(cls, path: Path) -> list[Self]:
        """All lines of a file; none where there is no file. Raises `UserError` for another."""
        if not path.is_file():
            return []
        found = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                found.append(cls.model_validate_json(line))
            except ValidationError as error:
                reason = error.errors()[0]["msg"]
                raise UserError(
                    f"{path}: line {number} is no acceptance ({reason}); delete this line"
                ) from None
        return found
