"""The findings of a run as a page of Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any


def markdown(found: Mapping[str, Any]) -> str:
    """Of the JSON that benchmarks/gpu.py writes."""
    machine = found["machine"]
    lines = [
        f"# {machine['device']}",
        "",
        ", ".join(f"{key} {value}" for key, value in machine.items() if key != "device"),
    ]
    for name, part in found["parts"].items():
        lines += ["", f"## {name}: {part['status']}, {part['seconds']:.0f} s", ""]
        if part.get("error"):
            lines += ["```", part["error"].strip(), "```", ""]
        lines += table(part.get("rows", []))
        lines += [
            f"- {check['what']}: {check['value']:.2g} (at most {check['most']:g})"
            for check in part.get("checks", [])
        ]
    return "\n".join(lines).rstrip() + "\n"


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return []
    cells = [[text(row.get(column)) for column in columns] for row in rows]
    rule = ["---" if isinstance(rows[0].get(column), str) else "---:" for column in columns]
    return [*(f"| {' | '.join(row)} |" for row in (columns, rule, *cells)), ""]


def text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
