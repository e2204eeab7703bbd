"""The description of the results' folder, beside the paths of the rules."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.paths import ROOT
from rarl.config import RESERVED
from rarl.layout import Layout, train_log

README = (ROOT / "results" / "README.md").read_text()
LAYOUT = vars(Layout("ROOT"))  # patterns of files, by name
RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
USED = set(re.findall(r"\bFILES\.(\w+)", RULES)) & LAYOUT.keys()
LOGGED = set(re.findall(r"train_log\(FILES\.(\w+)\)", RULES))
FOLDERS = {"results", "logs", "benchmarks"}


def named(pattern: str) -> set[str]:
    """How the description names the paths of a pattern."""
    spelt = re.sub(r"\{(\w+)\}", lambda word: word[1].upper(), pattern.removeprefix("ROOT/"))
    if "REFERENCE" in spelt:
        return {spelt.replace("REFERENCE", kind) for kind in ("reconstructions", "images")}
    return {spelt}


OUTPUTS = set().union(*(named(LAYOUT[name]) for name in USED - FOLDERS))
OUTPUTS |= set().union(*(named(train_log(LAYOUT[name])) for name in LOGGED))


def described(path: str) -> bool:
    """A folder by what lies in it; a file by its name, or by the folder of one file a job."""
    if "." not in path:
        return f"`{path}/" in README
    return f"`{path.partition('/')[0]}/`" in README or f"`{path}`" in README


def test_every_output_of_the_rules_is_described():
    assert len(OUTPUTS) > 30  # the rules were read
    assert LAYOUT.keys() - USED == {"accepted"}  # every other pattern is used by a rule
    assert not [path for path in sorted(OUTPUTS) if not described(path)]


@pytest.mark.parametrize("folder", [name for name in RESERVED if "." not in name])
def test_every_folder_beside_the_experiments_is_described(folder: str):
    assert f"`{folder}/" in README


def test_nothing_is_described_that_the_rules_do_not_make():
    """But what a stage writes beside its output, and what a command notes."""
    others = {
        "data/DATASET-IMAGE_SIZE/shards/",
        "figures/samples-EXPERIMENT.png",
        "figures/curves-EXPERIMENT.png",
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
