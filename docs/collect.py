"""Copies results of a run into `docs/results`, with the commit of the code that made them."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import result_files
from rarl.runtime.errors import UserError
from result_files import RESULTS

CODE = (
    "rarl",
    "workflow",
    "Snakefile",
    "config",
    "config.yaml",
    "benchmarks",
)  # what makes results
FOLDERS = ("tables", "figures", ".")  # of a run's results


def collect(run: Path, clone: Path, names: Sequence[str], results: Path = RESULTS) -> list[str]:
    """Copies files of a run; the names of those that were copied.

    `names`: of files; none: those of `results` that the run has made, too.
    Raises `UserError` when the clone's code was changed without a commit, or is newer than a file.
    """
    code = [name for name in CODE if (clone / name).exists()]
    if changed := _git(clone, "status", "--porcelain", "--untracked-files=no", "--", *code):
        raise UserError(f"{clone}: {changed.splitlines()[0].strip()}: commit the code first")
    commit, seconds = _git(clone, "log", "-1", "--format=%h %ct", "--", *code).split()
    known = result_files.commits(results)
    found = {name: _find(run, name) for name in names or known}
    if missing := [name for name in names if found[name] is None]:
        raise UserError(f"{run}: holds no {', '.join(missing)}")
    made = {name: path for name, path in found.items() if path is not None}
    for path in made.values():
        if path.stat().st_mtime < int(seconds):
            raise UserError(f"{path}: is older than the code of commit {commit}; run it again")
    for name, path in made.items():
        shutil.copyfile(path, results / name)
        known[name] = commit
    result_files.write_commits(known, results)
    return sorted(made)


def _find(run: Path, name: str) -> Path | None:
    """Where a run holds a file: `paper/table4.md` is `paper/tables/table4.md`."""
    folder, file = (run / name).parent, Path(name).name
    return next((path for of in FOLDERS if (path := folder / of / file).is_file()), None)


def _git(clone: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", clone, *arguments], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise UserError(f"{clone}: git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()
