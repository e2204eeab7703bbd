"""What the comments beside the settings say: in the classes of `rarl.config`, and in the YAML."""

import ast
import inspect
import io
import tokenize
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel


def of_field(model: type[BaseModel], name: str) -> str:
    """The comment on the lines of a field, in the class that declares it; else ""."""
    for owner in model.__mro__:
        if name in vars(owner).get("__annotations__", inspect.get_annotations(owner)):
            return _fields(Path(inspect.getfile(owner))).get((owner.__name__, name), "")
    return ""


@cache
def further() -> dict[str, str]:
    """What `docs/settings.yaml` says of keys that no comment explains: `key`, or `Class.key`."""
    path = Path(__file__).with_name("settings.yaml")
    found: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def of_key(path: Path) -> dict[str, str]:
    """The comment on the line of each dotted key of a YAML file."""
    text = path.read_text(encoding="utf-8")
    found: dict[str, str] = {}

    def walk(node: yaml.Node, at: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                below = f"{at}.{key.value}" if at else str(key.value)
                own = key.end_mark.line
                if own not in seen:  # one comment a line: that of its first key
                    seen.add(own)
                    found[below] = lines.get(own + 1, "")
                walk(value, below)

    seen: set[int] = set()
    lines = _yaml_comments(text)
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None:
        walk(root, "")
    return found


@cache
def _fields(path: Path) -> dict[tuple[str, str], str]:
    """The comments of all annotated fields of a module, by class and name."""
    text = path.read_text(encoding="utf-8")
    comments = {
        token.start[0]: token.string.removeprefix("#").strip()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and "type: ignore" not in token.string
    }
    found = {}
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    for owner in classes:
        for node in owner.body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
                said = [comments[line] for line in lines if line in comments]
                found[owner.name, node.target.id] = " ".join(said)
    return found


def _yaml_comments(text: str) -> dict[int, str]:
    """The comment of each line, from 1. A `#` within quotes begins none."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        quoted = ""
        for place, letter in enumerate(line):
            if quoted:
                quoted = "" if letter == quoted else quoted
            elif letter in "\"'":
                quoted = letter
            elif letter == "#" and (place == 0 or line[place - 1] == " "):
                found[number] = line[place + 1 :].strip()
                break
    return found
