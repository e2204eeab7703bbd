"""What is kept beside Snakemake's records of finished jobs: the modules behind every fingerprint.

Snakemake records the fingerprint of a job. From the files here `rarl accept` tells which modules
changed since. A file is named after its content and never changes. Imports no torch.
"""

import json
from functools import cache
from pathlib import Path

from rarl.runtime import fingerprint
from rarl.runtime.files import write_json

FOLDER = Path(".snakemake") / "rarl-code"  # lost with Snakemake's records, and useless without


@cache
def code(stage: str, kinds: tuple[str, ...] = ()) -> str:
    """The fingerprint of a stage's code, whose modules it keeps."""
    found = fingerprint.compute(stage, kinds)
    path = FOLDER / f"{found}.json"
    if not path.exists():
        write_json(path, fingerprint.hashes(stage, kinds))
    return found


def modules(code: str) -> dict[str, str] | None:
    """The modules behind a fingerprint, each with the hash of its code; None if unknown."""
    path = FOLDER / f"{code}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
