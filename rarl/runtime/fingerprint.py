"""A hash of the code behind a stage, so that a change of code re-runs what it concerns.

The hash covers the syntax trees, without comments and docstrings, of the modules of this package
that `rarl/stages/<stage>.py` imports, directly or through others, and of the modules of the kinds
that its settings choose (`Settings.kinds`; see `rarl.kinds`), with what these import. Formatting
and comments change nothing; a change in a shared layer changes every stage that uses it; a new
kind changes nothing. Imports no torch: it reads the sources and runs none of them.
"""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent

# These can't change what a stage computes: the configuration acts through the settings, which
# are compared as such, `rarl` itself is for users, and the others only report. What else of
# `rarl.config` a stage imports by the name of its module, as `rarl.config.celeba`, counts.
EXCLUDED = {
    "rarl",
    "rarl.cli",
    "rarl.commands",
    "rarl.config",
    "rarl.config.stages",
    "rarl.config.stages.data",
    "rarl.config.stages.evaluate",
    "rarl.config.stages.features",
    "rarl.config.stages.report",
    "rarl.config.stages.train",
    "rarl.kinds",
    "rarl.layout",
    "rarl.runtime.cores",
    "rarl.runtime.errors",
    "rarl.runtime.fingerprint",
    "rarl.runtime.progress",
}


def compute(stage: str, kinds: tuple[str, ...] = ()) -> str:
    """16 hex digits for the code of a stage and of the modules of its kinds."""
    return _hash(json.dumps(hashes(stage, kinds), sort_keys=True))


@cache
def hashes(stage: str, kinds: tuple[str, ...] = ()) -> dict[str, str]:
    """16 hex digits for the code of every module behind a stage, read once per process."""
    found = modules(f"rarl.stages.{stage}", *kinds)
    return {name: _hash(_code(name)) for name in sorted(found)}


def modules(*entries: str) -> set[str]:
    """Dotted names of the package's modules that importing `entries` may run, with themselves."""
    found: set[str] = set()
    pending = list(entries)
    while pending:
        name = pending.pop()
        if name not in found and name not in EXCLUDED:
            found.add(name)
            pending += _imports(name)
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _path(name: str) -> Path | None:
    """Source of a dotted name; None when it isn't a module of this package."""
    first, *rest = name.split(".")
    base = PACKAGE.joinpath(*rest)
    candidates = (base / "__init__.py", base.with_suffix(".py")) if first == "rarl" else ()
    return next((path for path in candidates if path.is_file()), None)


@cache
def _tree(name: str) -> ast.Module:
    path = _path(name)
    if path is None:
        raise FileNotFoundError(f"{PACKAGE} holds no module {name}")
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _code(name: str) -> str:
    """A module's code in one normal form, without docstrings."""
    return ast.unparse(_WithoutDocstrings().visit(_tree(name)))


class _WithoutDocstrings(ast.NodeTransformer):
    """Drops every statement that is only a string: it does nothing when it runs."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node


def _imports(name: str) -> Iterator[str]:
    """Modules of the package that a module names in imports, and the packages around them."""
    for node in ast.walk(_tree(name)):
        match node:
            case ast.Import():
                named = [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str(module)):
                named = [module, *(f"{module}.{alias.name}" for alias in node.names)]
            case ast.ImportFrom():
                raise ValueError(f"{name} line {node.lineno}: imports must be absolute")
            case _:
                continue
        for module in named:
            parts = module.split(".")
            for length in range(1, len(parts) + 1):
                if _path(ancestor := ".".join(parts[:length])) is not None:
                    yield ancestor
