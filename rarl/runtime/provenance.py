"""What made an artefact: embedded in it, so that it can be traced without the workflow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rarl.config import Settings
from rarl.runtime import fingerprint
from rarl.runtime.files import sha256


def describe(
    stage: str, settings: Settings, **inputs: Path | Sequence[Path | str | None]
) -> dict[str, Any]:
    """The stage, its settings, the hash of its code, and the SHA-256 of every input.

    Of a `Path` that of the file; a `str` is that of an artefact's content, which was read already.
    """
    return {
        "provenance": {
            "stage": stage,
            "settings": settings.model_dump(mode="json"),
            "code": fingerprint.compute(stage, settings.kinds),
            "inputs": {
                name: sha256(value)
                if isinstance(value, Path)
                else [sha256(of) if isinstance(of, Path) else of for of in value]
                for name, value in inputs.items()
            },
        }
    }
