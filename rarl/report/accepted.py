"""What `rarl accept` let stand, for the notes below a table. Imports no torch."""

from pathlib import Path

from rarl.results.acceptance import Acceptance
from rarl.runtime.files import sha256


def lines(log: Path, markdown: Path) -> list[str]:
    """One line of Markdown for each file below the table `markdown` that `log` says was accepted.

    A file that was made anew since has other bytes, and no line.
    """
    notes = {}
    for acceptance in Acceptance.read(log):
        if str(markdown) not in acceptance.tables:
            continue
        for output, of in acceptance.outputs.items():
            path = Path(output)
            if path.is_file() and sha256(path) == of.sha256:
                changed = ", ".join(of.changed)
                notes[output, changed] = (
                    f"- accepted: {output} is older than a change of {changed} "
                    f"({acceptance.when[:10]}, rarl {acceptance.rarl})"
                )
    return list(notes.values())
