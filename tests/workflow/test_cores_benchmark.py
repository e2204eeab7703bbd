"""The simulation of a run on other numbers of cores, from Snakemake's own plan."""

import re
import subprocess
import sys
from pathlib import Path

from helpers import squares
from helpers.paths import ROOT, TINY

TARGET, VQVAE = "results/tables/tiny.csv", "results/squares16/vqvae.safetensors"
MEASURED = "s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t1.0\n"


def simulated(folder: Path, *cores: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "cores.py"), str(TINY), TARGET),
            *("--snakefile", str(ROOT / "Snakefile"), "--others", "60", "--cores", *cores),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_minutes_follow_from_the_plan_and_the_measured_seconds(tmp_path: Path):
    """Every job takes a minute but the VQ-VAE, which takes ten."""
    squares.make(tmp_path / "images", 8)
    for line in simulated(tmp_path, "1").stderr.splitlines()[1:]:  # what it needs
        path = tmp_path / line
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MEASURED.format(seconds=600 if path.stem == "vqvae" else 60))
    done = simulated(tmp_path, "1", "64")
    assert done.returncode == 0, done.stderr
    jobs = int(re.search(r"(\d+) jobs", done.stdout)[1])
    minutes = dict(re.findall(r"^\| (\d+) \| ([\d.]+) \|", done.stdout, re.MULTILINE))
    assert float(minutes["1"]) == jobs + 9
    path = re.findall(r"^- +(\d+) s (\S+)", done.stdout, re.MULTILINE)
    assert float(minutes["64"]) == sum(int(seconds) for seconds, _ in path) / 60
    assert [name for seconds, name in path if seconds == "600"] == [VQVAE]
    assert path[-1][1] == TARGET
