"""What made an artefact: embedded in it, so that it can be traced without the workflow."""

from pathlib import Path
from typing import Any

from rarl.config import Settings
from rarl.runtime import fingerprint
from rarl.runtime.files import sha256


def describe(stage: str, settings: Settings, **inputs: Path | list[Path]) -> dict[str, Any]:
    """The stage, its settings, the hash of its code, and the SHA-256 of every input file."""
    return {
        "provenance": {
            "stage": stage,
            "settings": settings.model_dump(mode="json"),
            "code": fingerprint.compute(stage, settings.kinds),
            "inputs": {
                name: [sha256(path) for path in value] if isinstance(value, list) else sha256(value)
                for name, value in inputs.items()
            },
        }
    }
