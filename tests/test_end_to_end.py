"""From pictures to a table through the real Snakemake and the real stages, then nothing to do."""

import csv
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("results/tables/tiny.csv", "results/tables/hierarchy.csv")


def snakemake(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("snakemake"),
            *("--snakefile", ROOT / "Snakefile", "--configfile", ROOT / "tests" / "tiny.yaml"),
            *("--cores", "8", *arguments),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A folder of 48 generated pictures, and the table made of them."""
    folder = tmp_path_factory.mktemp("end-to-end")
    (folder / "pictures").mkdir()
    draw = np.random.default_rng(0)
    for number in range(48):  # squares of random colour and place on white
        pixels = np.full((20, 24, 3), 255, dtype=np.uint8)
        top, left = draw.integers(0, 12, size=2)
        pixels[top : top + 8, left : left + 8] = draw.integers(0, 256, size=3)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number:02}.png")
    snakemake(folder, *TARGETS)
    return folder


LABELS = {
    "mle": "MLE",
    "single": "Single reward",
    "intermediate": "Intermediate reward",
    "partial": "Partial generation",
}


@pytest.mark.parametrize(
    ("experiment", "target", "methods"),
    [("squares16", TARGETS[0], ("mle", "single")), ("hierarchy16", TARGETS[1], tuple(LABELS))],
)
def test_table_holds_the_distances(finished, experiment, target, methods):
    rows = list(csv.reader((finished / target).read_text().splitlines()))
    assert rows[0] == ["method", "16x16"]
    for (label, figure), method in zip(rows[1:], methods, strict=True):
        path = finished / "results" / experiment / method / "distance.json"
        result = json.loads(path.read_text())
        assert label == LABELS[method]
        assert float(figure) == pytest.approx(np.mean(result["distances"]), abs=1e-4)
        assert len(result["distances"]) == 2
        assert result["distances"][0] != result["distances"][1]
        assert (result["label"], result["count_samples"]) == ("FD-EffLite0", 12)


def test_figures_are_pictures(finished):
    for name in product(("samples", "curves"), ("squares16", "hierarchy16")):
        with Image.open(finished / "results" / "figures" / f"{'-'.join(name)}.png") as picture:
            darkest, lightest = picture.convert("L").getextrema()
            assert darkest < lightest


def test_nothing_is_left_to_do(finished):
    assert "Nothing to be done" in snakemake(finished, *TARGETS)
