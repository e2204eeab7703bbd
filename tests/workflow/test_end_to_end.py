"""From images to a table through the real Snakemake and the real stages, then nothing to do."""

import csv
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers import squares
from helpers.paths import ROOT, TINY
from rarl.results.distances import Distances

TARGETS = ("results/tables/tiny.csv", "results/tables/hierarchy.csv")
TABLES = (
    "architecture",
    "hierarchy",
    "oracle",
    "quality",
    "reconstruction",
    "replicated",
    "seconds",
    "tiny",
)
OWN = """\
datasets: {mine: {kind: folder, path: my own, crop: center, max_images: null, val_fraction: 0.2}}
experiments: {mine-8: {dataset: mine, image_size: 8, latents: [2], \
rl: {rewards: {critic: {pixel: {final_size: 2}}}}}}
tables: {mine: {kind: distance, title: Mine, columns: {mine-8: x}, rows: [mle, single], paper: {}}}
"""


def snakemake(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [
            Path(sys.executable).with_name("snakemake"),
            *("--snakefile", ROOT / "Snakefile", "--cores", "8"),
            *("--configfile", TINY, folder / "own.yaml", "--", *arguments),
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
    """A folder of 48 generated images, and all that is made of them.

    Half of them are a user's own, for whom three lines of configuration stand beside the rest.
    """
    folder = tmp_path_factory.mktemp("end-to-end")
    (folder / "my own" / "holidays").mkdir(parents=True)
    (folder / "own.yaml").write_text(OWN)
    for number, image in enumerate(squares.make(folder / "images", 48)):
        if number % 2:
            image.convert("L").save(folder / "my own" / "holidays" / f"{number:02}.JPEG")
    snakemake(folder)
    return folder


FIRST = "distance-efficientnet_lite0.json"
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
    *of_methods, of_real = rows[1:]
    assert of_real[0] == "Real images"
    assert float(of_real[1]) > 0
    for (label, figure), method in zip(of_methods, methods, strict=True):
        path = finished / "results" / experiment / method / FIRST
        result = Distances.read(path)
        assert label == LABELS[method]
        assert float(figure) == pytest.approx(np.mean(result.distances), abs=1e-4)
        assert len(result.distances) == 2
        assert result.distances[0] != result.distances[1]
        assert (result.protocol.label, result.protocol.count_samples) == ("FD-EffLite0", 12)


def test_figures_are_images(finished):
    names = [
        "-".join(pair) for pair in product(("samples", "curves"), ("squares16", "hierarchy16"))
    ]
    for name in (*names, "figure1", "time"):
        with Image.open(finished / "results" / "figures" / f"{name}.png") as image:
            darkest, lightest = image.convert("L").getextrema()
            assert darkest < lightest


def test_every_plot_has_its_values_beside_it(finished):
    plots = finished / "results" / "figures"
    assert {p.stem for p in plots.glob("*.png")} == {p.stem for p in plots.glob("*.csv")}
    curves = pd.read_csv(plots / "curves-squares16.csv")
    assert {"vqvae", "single", "MLE", "Single reward"} <= set(curves["log"])
    assert {"mse", "val_nll", "distance"} <= set(curves["metric"])
    shown = pd.read_csv(plots / "figure1.csv")
    assert shown["label"].tolist()[:2] == ["one grid, MLE", "one grid, Single reward"]
    assert (shown["iteration"] <= shown["iterations"]).all()


def test_every_table_is_csv_markdown_and_a_page(finished):
    written = {path.name for path in (finished / "results" / "tables").iterdir()}
    kinds = ("csv", "long.csv", "md", "html")
    assert written == {f"{name}.{kind}" for name in (*TABLES, "mine") for kind in kinds}


def figures_of(finished: Path, table: str) -> dict[str, list[float]]:
    rows = list(csv.reader((finished / "results" / "tables" / f"{table}.csv").open()))
    return {label: [float(figure) for figure in figures] for label, *figures in rows[1:]}


def test_every_csv_is_a_pivot_of_the_tidy_frame(finished):
    tables = finished / "results" / "tables"
    for name in (*TABLES, "mine"):
        wide, long = (pd.read_csv(tables / f"{name}{end}") for end in (".csv", ".long.csv"))
        if name == "architecture":
            assert set(wide["bottom prior"]) - {"-"} <= set(long["value"])
            continue
        shown = wide.drop(columns=wide.columns[0]).to_numpy().flatten().tolist()
        numbers = [cell for cell in shown if not isinstance(cell, bool | str) and pd.notna(cell)]
        assert numbers
        for number in numbers:
            assert (long["mean"] - number).abs().min() < 1e-3
        assert set(long["experiment"]) & {"squares16", "hierarchy16", "oracle16", "mine-8"}
        groups = long.groupby(["experiment", "method", "extractor", "metric"], dropna=False)
        for _, group in groups:
            values = group["value"]
            if name == "replicated":
                values = group.groupby("training_seed")["value"].mean()
            assert group["mean"].iloc[0] == pytest.approx(values.mean())
            assert group["count"].iloc[0] == len(values)
        text = (tables / f"{name}.md").read_text()
        if name not in ("seconds", "reconstruction"):
            log = finished / "results" / long["experiment"][0] / "mle" / "prior.jsonl"
            lines = map(json.loads, log.read_text().splitlines())
            *_, last = (line for line in lines if "selected_iteration" in line)
            selected = f"MLE, iteration {last['selected_iteration']} of {last['step']}"
            assert selected in text


def test_two_extractors_are_in_the_markdown_and_the_long_csv(finished):
    tables = finished / "results" / "tables"
    for name in ("hierarchy", "quality"):
        text = (tables / f"{name}.md").read_text()
        assert "FD-EffLite0 |" in text
        assert "FD-MobileNetV2 |" in text
        assert "model selection sees the features of efficientnet_lite0 alone" in text
        long = pd.read_csv(tables / f"{name}.long.csv")
        assert {"efficientnet_lite0", "mobilenet_v2"} <= set(long["extractor"])
        assert {"distance", "way_to_real"} <= set(long["metric"])
        assert "MobileNet" not in (tables / f"{name}.csv").read_text()


def test_three_lines_make_tables_of_a_users_own_images(finished):
    assert len(OWN.splitlines()) == 3
    assert list(figures_of(finished, "mine")) == ["MLE", "Single reward", "Real images"]
    assert (finished / "results" / "figures" / "samples-mine-8.png").is_file()
    manifest = json.loads((finished / "results" / "data" / "mine-8" / "manifest.json").read_text())
    assert sum(split["count"] for split in manifest["splits"].values()) == 24


def test_table_11_has_a_time_for_each_way_of_drawing(finished):
    times = figures_of(finished, "seconds")
    assert list(times) == ["Single reward", "Partial generation"]
    assert all(seconds > 0 for [seconds] in times.values())


def test_the_rivals_have_all_their_figures(finished):
    *rows, real = csv.DictReader((finished / "results" / "tables" / "quality.csv").open())
    assert real["method"] == "Real images"
    assert real["seconds an image"] == ""  # they cost nothing
    for row in rows:
        assert float(row["distance"]) > 0
        assert float(row["seconds an image"]) > 0
        for share in ("precision", "recall", "near a training image"):
            assert 0 <= float(row[share]) <= 1


def test_training_seeds_are_trained_apart(finished):
    rows = list(csv.reader((finished / "results" / "tables" / "replicated.csv").open()))
    labels = [row[0] for row in rows[1:]]
    assert labels == ["16x16: MLE", "16x16: Single reward", "16x16: Real images"]
    runs = [
        np.mean(
            Distances.read(
                finished / "results" / name / "mle" / "distance-efficientnet_lite0.json"
            ).distances
        )
        for name in ("squares16", "squares16-seed-3")
    ]
    assert runs[0] != runs[1]
    assert float(rows[1][1]) == pytest.approx(np.mean(runs), abs=1e-2)


def test_the_oracle_explains_its_own_codes_best(finished):
    nlls = figures_of(finished, "oracle")
    path = finished / "results" / "oracle16" / "mle" / "nll.json"
    own = json.loads(path.read_text())["nll_oracle_of_its_own"]
    for of_generator, of_held_out in nlls.values():
        assert of_generator > 0.5 * own
        assert of_held_out > own


def test_nothing_is_left_to_do(finished):
    assert "Nothing to be done" in snakemake(finished)
