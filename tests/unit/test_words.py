"""The documents use the field's words: those of the glossary, one word for one thing."""

import re
from pathlib import Path

import pytest

import markers
import write_documents

WORDS = {  # a word that is not used: the one that is
    r"pictures?": "image",
    r"judge[sd]?|judging": "model selection, evaluation",
    r"anchor(s|ed)?": "reference policy",
    r"draws?|drew|drawn": "sample",
    r"sheets?": "table",
    r"grids? of codes|code grids?|coarser grids?|finer grids?|two grids": "level",
    r"cooler|narrowing": "lower temperature",
    r"adversary": "critic",
}
LOG = "## Set-up"  # from here on docs/experiments.md is a log, which nothing rewrites


def prose(path: Path) -> str:
    """What people wrote: no code, no results, no log."""
    text = path.read_text(encoding="utf-8").partition(LOG)[0]
    text = markers.MARKED.sub("", text)
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", write_documents.documents(), ids=lambda path: path.name)
def test_the_words_of_the_glossary(path: Path):
    found = []
    for number, line in enumerate(prose(path).splitlines(), 1):
        for word, standard in WORDS.items():
            if match := re.search(rf"\b({word})\b", line, re.IGNORECASE):
                found.append(f"{number}: '{match[0]}', say {standard}: {line.strip()}")
    assert not found


def test_another_word_is_found(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("`draw` in code.\n<!-- result: a -->picture<!-- end -->\nA picture.\n")
    assert re.search(r"\bpictures?\b", prose(page)) and "draw" not in prose(page)
    assert prose(page).count("picture") == 1
