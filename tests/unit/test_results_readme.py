"""The description of the results' folder, beside the paths of the rules."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.paths import ROOT
from rarl.config import RESERVED

README = (ROOT / "results" / "README.md").read_text()
RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
FOLDERS = {  # as workflow/rules/common.smk names them
    "RESULTS": "",
    "RUN": "EXPERIMENT/",
    "BRANCH": "EXPERIMENT/METHOD/",
    "FIGURES": "figures/",
    "LOGS": "logs/",
    "BENCHMARKS": "benchmarks/",
}
WILDCARDS = set(re.findall(r"^    (\w+)=", RULES.partition("wildcard_constraints:\n")[2], re.M))
PATHS = re.findall(rf'f"\{{({"|".join(FOLDERS)})\}}/([^"]+)"', RULES)


def named(folder: str, name: str) -> str | None:
    """How the description names a path; None for one that a function of the rules completes."""
    words = set(re.findall(r"\{(\w+)\}", name))
    if not words <= WILDCARDS | {"figure"}:
        return None
    return FOLDERS[folder] + re.sub(r"\{+(\w+)\}+", lambda word: word[1].upper(), name)


OUTPUTS = {path for folder, name in PATHS if (path := named(folder, name))}


def described(path: str) -> bool:
    """A folder by what lies in it; a file by its name, or by the folder of one file a job."""
    if "." not in path:
        return f"`{path}/" in README
    return f"`{path.partition('/')[0]}/`" in README or f"`{path}`" in README


def test_every_output_of_the_rules_is_described():
    assert len(OUTPUTS) > 40  # the rules were read
    assert not [path for path in sorted(OUTPUTS) if not described(path)]


@pytest.mark.parametrize("folder", [name for name in RESERVED if "." not in name])
def test_every_folder_beside_the_experiments_is_described(folder: str):
    assert f"`{folder}/" in README


def test_nothing_is_described_that_the_rules_do_not_make():
    """But what a stage writes beside its output, and what a command notes."""
    others = {
        "data/DATASET-IMAGE_SIZE/shards/",
        "tables/TABLE.long.csv",
        "NAME.state/",
        "NAME.jsonl.part",
        "accepted.jsonl",
        "logs/",
        "benchmarks/",
    }
    rows = [line.split("|")[1] for line in README.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`([^`]+)`", "".join(rows))) - OUTPUTS <= others


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_ignores_all_results_but_their_description(tmp_path: Path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    paths = ["results/README.md", "results/tables/t.csv", "results/accepted.jsonl"]
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", *paths],
        cwd=tmp_path,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.splitlines() == paths[1:]
