"""Two runs of one configuration end in files of equal bytes, though one of them is killed.

Except what says when or for how long: `logs/`, `benchmarks/`, the seconds in the training logs,
and the JSON beside each draw. Nothing else holds a time or is made from one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from helpers import squares
from helpers.paths import ROOT, TINY

TARGET = "results/tables/tiny.csv"
OFTEN = "checkpoints: {every_seconds: 0, every_steps: 1}\n"
KILLED_IN = ("vqvae", "prior-single", "single/prior")  # what trains, in the order of the workflow


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake as the leader of a group, so that its jobs can be killed with it."""
    return subprocess.Popen(
        [
            Path(sys.executable).with_name("snakemake"),
            *("--snakefile", ROOT / "Snakefile", "--cores", "2", *arguments),
            *("--configfile", TINY, folder / "often.yaml", "--", TARGET),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(folder: Path, *arguments: str) -> None:
    process = start(folder, *arguments)
    try:
        said, _ = process.communicate()
    finally:
        kill(process)
    assert process.returncode == 0, said


def kill(process: subprocess.Popen[str]) -> None:
    """All of its group that still runs."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def kill_once(folder: Path, there: Callable[[], object]) -> None:
    """SIGKILL to Snakemake and all its jobs as soon as `there` is true."""
    process = start(folder, "--rerun-incomplete")
    try:
        while not there():
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
    finally:
        kill(process)
    process.communicate()
    finish(folder, "--unlock")


def content(path: Path) -> bytes | list[dict[str, object]]:
    if path.suffix != ".jsonl":
        return path.read_bytes()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in lines]


def results(folder: Path) -> dict[str, bytes | list[dict[str, object]]]:
    root = folder / "results"
    paths = [
        path for path in root.rglob("[!.]*") if path.is_file()
    ]  # not what a kill left half-written
    return {
        str(path.relative_to(root)): content(path)
        for path in paths
        if path.relative_to(root).parts[0] not in ("logs", "benchmarks")
        and not (path.name.startswith("samples-") and path.suffix == ".json")
    }


def test_a_run_that_was_killed_ends_with_the_bytes_of_one_that_was_not(tmp_path: Path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        squares.make(folder / "images", 48)
        (folder / "often.yaml").write_text(OFTEN)
    finish(whole)
    for name in KILLED_IN:
        kill_once(broken, lambda name=name: list(broken.glob(f"results/*/{name}.state/*.pt")))
    finish(broken, "--rerun-incomplete")
    of_whole, of_broken = results(whole), results(broken)
    kinds = {Path(name).suffix for name in of_whole}
    assert {".safetensors", ".npz", ".npy", ".png", ".csv", ".md", ".jsonl", ".json"} <= kinds
    assert of_whole.keys() == of_broken.keys()
    assert [name for name in of_whole if of_whole[name] != of_broken[name]] == []
