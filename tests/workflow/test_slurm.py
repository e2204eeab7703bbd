"""The workflow on a real SLURM: `tests/helpers/slurm.sh up` starts one on this machine."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from helpers import squares
from helpers.paths import HELPERS, ROOT, TINY
from rarl.runtime import artefact

PROFILE = ROOT / "workflow" / "profiles" / "slurm" / "profile.v9+.yaml"
TARGET = "results/tables/tiny.csv"
PRIOR = "results/squares16/prior-single.safetensors"


def answers() -> bool:
    try:
        return subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


pytestmark = pytest.mark.skipif(
    "RARL_TEST_SLURM" not in os.environ or not answers(),
    reason="takes ten minutes; `tests/helpers/slurm.sh up`, then set RARL_TEST_SLURM to run it",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the tiny configuration and the profile, less what this machine lacks."""
    squares.make(tmp_path / "images", 48)
    shutil.copy(TINY, tmp_path / "tiny.yaml")
    profile = yaml.safe_load(PROFILE.read_text())
    del profile["set-threads"]
    for resources in profile["set-resources"].values():
        resources.pop("gpu", None)
        resources |= {"slurm_partition": "cpu", "mem_mb": 3000}
    here = {"slurm-no-account": True, "slurm-status-command": "squeue", "latency-wait": 5}
    soon = {"slurm-init-seconds-before-status-checks": 3, "seconds-between-status-checks": 3}
    write_profile(tmp_path, profile | here | soon)
    return tmp_path


def write_profile(folder: Path, profile: dict[str, object]) -> None:
    (folder / "slurm").mkdir(exist_ok=True)
    (folder / "slurm" / PROFILE.name).write_text(yaml.safe_dump(profile))


def train_for_long(folder: Path, steps: int, minutes: int) -> None:
    """Gives the prior many steps and its job a time limit; saves every second."""
    content = yaml.safe_load((folder / "tiny.yaml").read_text())
    content["checkpoints"]["every_seconds"] = 1
    content["defaults"]["prior"] |= {"steps": steps, "log_every": 500, "evaluate_every": 5000}
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content))
    profile = yaml.safe_load((folder / "slurm" / PROFILE.name).read_text())
    own = profile["set-resources"]["prior"] | {"runtime": minutes}  # training stages share theirs
    profile["set-resources"]["prior"] = own
    write_profile(folder, profile)


def start(folder: Path, target: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(Path(sys.executable).with_name("snakemake"), "--snakefile", ROOT / "Snakefile"),
            *("--profile", folder / "slurm", "--configfile", folder / "tiny.yaml", "--", target),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")},
        stdout=(folder / "printed").open("w"),
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(what: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.5)


def log(folder: Path) -> str:
    """Of the prior's last try."""
    return (folder / "results" / "logs" / "squares16" / "prior-single.log").read_text()


def test_end_to_end_with_a_job_at_its_time_limit_that_goes_on(folder: Path):
    train_for_long(folder, steps=15_000, minutes=1)
    assert start(folder, TARGET).wait() == 0, (folder / "printed").read_text()
    printed = (folder / "printed").read_text()
    assert "submitted with SLURM jobid" in printed
    assert "TIMEOUT" in printed
    assert "goes on from here" in log(folder)
    assert (folder / TARGET).read_text().startswith("method,")
    assert start(folder, TARGET).wait() == 0
    assert "Nothing to be done" in (folder / "printed").read_text()


def test_when_a_node_fails_its_job_runs_again_and_goes_on(folder: Path):
    train_for_long(folder, steps=4_000, minutes=10)
    running = start(folder, PRIOR)
    wait_for(lambda: list(folder.glob("results/squares16/prior-single.state/*.pt")), 240)
    for name in ("slurmd", "slurmstepd"):
        subprocess.run(["pkill", "-KILL", "-x", name], check=True)
    for job in ("--target-jobs", f"output {PRIOR}"):  # with the node all of it dies
        subprocess.run(["pkill", "-KILL", "-f", "--", job], check=True)
    wait_for(lambda: "down" in subprocess.getoutput("sinfo --noheader --format=%T"), 120)
    subprocess.run([HELPERS / "slurm.sh", "node"], check=True)
    assert running.wait() == 0, (folder / "printed").read_text()
    assert "goes on from here" in log(folder)
    assert artefact.load(folder / PRIOR).tensors
