"""What a catalogue of workflows, a deployment and a bare clone need."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.paths import ROOT, TINY

# Kinds of lines of `snakemake --lint`; workflow/README.md says why each stays.
KNOWN = (
    "Specify a conda environment or container for each rule",
    "Shell command directly uses variable config from outside",
    "Shell command directly uses variable rule from outside",
    "Path composition with '+'",
    "Mixed rules and functions in same snakefile",
    "Environment variable PATH used but not asserted",
)
# As snakedeploy writes it.
DEPLOYED = """
configfile: "config/config.yaml"

module rarl_workflow:
    snakefile:
        "{snakefile}"
    config:
        config

use rule * from rarl_workflow
"""


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def jobs(printed: str) -> dict[str, int]:
    """The job counts of a dry run, by rule."""
    found = re.findall(r"^(\w+) +(\d+)$", printed, re.M)
    return {{"default": "all"}.get(name, name): int(count) for name, count in found}


@pytest.fixture(scope="module")
def of_a_clone(tmp_path_factory) -> dict[str, int]:
    folder = tmp_path_factory.mktemp("clone")
    files = ("--snakefile", str(ROOT / "Snakefile"), "--configfile", str(TINY))
    done = python(folder, "-m", "snakemake", "--dry-run", *files)
    assert done.returncode == 0, done.stdout
    return jobs(done.stdout)


def test_a_deployed_workflow_plans_what_a_clone_plans(tmp_path: Path, of_a_clone):
    """With the commands printed, as another workflow does not see this one's variables."""
    (tmp_path / "config").mkdir()
    (tmp_path / "workflow").mkdir()
    (tmp_path / "config" / "config.yaml").write_text(TINY.read_text())
    deployed = DEPLOYED.format(snakefile=ROOT / "workflow" / "Snakefile")
    (tmp_path / "workflow" / "Snakefile").write_text(deployed)
    done = python(tmp_path, "-m", "snakemake", "--dry-run", "--printshellcmds", "--cores", "1")
    assert done.returncode == 0, done.stdout
    assert of_a_clone["total"] > 100
    assert jobs(done.stdout) == of_a_clone
    assert "python -m rarl.cli stage prepare --threads 1 --checkpoint-seconds 60" in done.stdout


def test_without_the_package_one_message_says_what_to_do(tmp_path: Path):
    code = (
        "import sys; sys.modules['rarl'] = None; from snakemake.cli import main; "
        f"main(['--dry-run', '--snakefile', '{ROOT / 'Snakefile'}'])"
    )
    done = python(tmp_path, "-c", code)
    assert done.returncode != 0
    assert "The Python package rarl cannot be imported" in done.stdout
    assert "`pip install -e .`" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_deployment_finds_its_configuration():
    """snakedeploy copies config/ and profiles/."""
    assert (ROOT / "config" / "config.yaml").read_text() == (ROOT / "config.yaml").read_text()
    assert (ROOT / "config" / "README.md").is_file()
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}


def test_the_linter_says_what_is_known(tmp_path: Path):
    files = ("--snakefile", str(ROOT / "Snakefile"), "--configfile", str(TINY))
    printed = python(tmp_path, "-m", "snakemake", "--lint", "text", *files).stdout
    lines = re.findall(r"^ +\* (.*)$", printed, re.M)
    assert len(lines) > 10
    assert {line for line in lines if not line.startswith(KNOWN)} == set()
