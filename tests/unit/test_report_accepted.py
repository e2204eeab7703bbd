"""A table says which files below it were accepted, as long as they are those files."""

import hashlib
import json

from rarl.layout import accepted_beside
from rarl.report import accepted


def test_a_table_names_what_was_accepted_below_it(tmp_path):
    results = tmp_path / "results"
    (results / "tables").mkdir(parents=True)
    table, other, model = (
        results / "tables" / "a.md",
        results / "tables" / "b.md",
        results / "model",
    )
    log = results / "accepted.jsonl"
    assert accepted_beside(table) == log
    assert accepted.lines(log, table) == []
    model.write_bytes(b"weights")
    of = {
        "sha256": hashlib.sha256(b"weights").hexdigest(),
        "old": {},
        "new": {},
        "changed": ["module rarl.sampling", "setting draw.top_k: 0 -> 1"],
    }
    line = {
        "when": "2026-03-04T05:06:07+00:00",
        "rarl": "0.1.0",
        "outputs": {str(model): of},
        "tables": [str(table)],
    }
    log.write_text(2 * (json.dumps(line) + "\n"))
    assert accepted.lines(log, table) == [
        f"- accepted: {model} is older than a change of module rarl.sampling, setting draw.top_k: "
        "0 -> 1 (2026-03-04, rarl 0.1.0)"
    ]
    assert accepted.lines(log, other) == []
    model.write_bytes(b"weights made anew")
    assert accepted.lines(log, table) == []
