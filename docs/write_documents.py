"""Writes every result of the documents, and the reference of the settings, or checks them.

    python docs/write_documents.py            # writes README.md and docs/*.md
    python docs/write_documents.py --check    # says what differs; 1 if anything does
    python docs/write_documents.py --collect results --clone .  [table2.long.csv ...]

The last copies results of a run, made by the code of a clone, into docs/results.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import markers
import result_files
import views
from collect import collect
from rarl.runtime.errors import UserError
from rarl.runtime.files import write_text
from result_tables import render
from settings_reference import reference

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = "settings"  # the marked place of the reference


def documents(root: Path = ROOT) -> list[Path]:
    return [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]


def configuration(root: Path = ROOT) -> Path:
    """The default configuration."""
    return next(
        path for path in (root / "config" / "config.yaml", root / "config.yaml") if path.is_file()
    )


def renewed(document: Path) -> str:
    """The text of a document with every marked place written anew. Raises `UserError`."""
    known = views.load()
    folder = os.path.relpath(result_files.RESULTS, document.parent)

    def written(name: str) -> str:
        if name == SETTINGS:
            return reference(configuration())
        if name not in known:
            raise UserError(f"no view is named '{name}' in {views.VIEWS.name}")
        return render(known[name], folder)

    try:
        return markers.fill(document.read_text(encoding="utf-8"), written)
    except UserError as error:
        raise UserError(f"{document.name}: {error}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--collect", type=Path, metavar="RESULTS", help="folder of a run's results")
    parser.add_argument("--clone", type=Path, default=ROOT, help="git clone whose code made them")
    parser.add_argument("files", nargs="*", help="to collect; default: all that docs/results holds")
    options = parser.parse_args(arguments)
    try:
        if options.collect is not None:
            for name in collect(options.collect, options.clone, options.files):
                print(f"docs/results/{name}")
        different = [path for path in documents() if renewed(path) != path.read_text("utf-8")]
        for path in different:
            done = "differs from" if options.check else "written from"
            print(f"{path.relative_to(ROOT)}: {done} its results")
            if not options.check:
                write_text(path, renewed(path))
    except UserError as error:
        print(f"write_documents: error: {error}", file=sys.stderr)
        return 1
    return int(options.check and bool(different))


if __name__ == "__main__":
    sys.exit(main())
