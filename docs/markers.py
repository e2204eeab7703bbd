"""Marked places in Markdown: what stands between two comments is written by a command.

<!-- result: NAME -->...<!-- end -->
"""

import re
from collections.abc import Callable

from rarl.runtime.errors import UserError

MARKED = re.compile(r"(<!-- result: ([\w-]+) -->)(.*?)(<!-- end -->)", re.DOTALL)
OPENING = re.compile(r"<!-- result:")


def names(text: str) -> list[str]:
    """The names of all marked places, in order."""
    return [match[2] for match in MARKED.finditer(text)]


def fill(text: str, written: Callable[[str], str]) -> str:
    """The text with `written(name)` in each marked place.

    What has several lines stands in lines of its own. Raises `UserError` for a place that does
    not end.
    """
    if len(OPENING.findall(text)) != len(MARKED.findall(text)):
        raise UserError("a '<!-- result: NAME -->' has no '<!-- end -->' behind it")

    def filled(match: re.Match[str]) -> str:
        body = written(match[2])
        return f"{match[1]}\n{body}\n{match[4]}" if "\n" in body else f"{match[1]}{body}{match[4]}"

    return MARKED.sub(filled, text)
