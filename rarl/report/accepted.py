"""What `rarl accept` let stand, for the notes below a table. Imports no torch.

Each line of `accepted.jsonl` in the folder of the results is one acceptance: `when` (UTC), `rarl`
(its version), `outputs` (by path: `sha256`, `old`, `new` and `changed`, what changed between them)
and `tables` (the Markdown files that rest on them).
"""

import json
from pathlib import Path

from rarl.runtime.files import sha256

NAME = "accepted.jsonl"


def lines(markdown: Path) -> list[str]:
    """One line of Markdown for each accepted file below the table `<results>/tables/<name>.md`.

    A file that was made anew since has other bytes, and no line.
    """
    log = markdown.parent.parent / NAME
    if not log.is_file():
        return []
    notes = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        acceptance = json.loads(line)
        if str(markdown) not in acceptance["tables"]:
            continue
        for output, of in acceptance["outputs"].items():
            path = Path(output)
            if path.is_file() and sha256(path) == of["sha256"]:
                changed = ", ".join(of["changed"])
                notes[output, changed] = (
                    f"- accepted: {output} is older than a change of {changed} "
                    f"({acceptance['when'][:10]}, rarl {acceptance['rarl']})"
                )
    return list(notes.values())
