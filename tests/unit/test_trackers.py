"""Runs in a tracker. Oracle: the JSON lines, read back by the tracker's own means."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from helpers.paths import ROOT
from rarl import cli
from rarl.runtime import artefact
from rarl.trackers import runs

LINES = [
    {"step": 2, "seconds": 1.5, "mse": 0.5},
    {"step": 2, "seconds": 1.75, "warning": "codes_in_use is 0.1, below 0.2"},
    {"step": 4, "seconds": 3.0, "mse": 0.25, "val_mse": 0.375},
]
SETTINGS = {"stage": "vqvae", "settings": {"seed": 0, "vqvae": {"layers": 2}}}
NAMES = ["one/mle/prior", "one/vqvae", "two/vqvae"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two experiments; the second still trains. A table of each."""
    folder = tmp_path / "results"
    for name in ("one/vqvae.jsonl", "one/mle/prior.jsonl", "two/vqvae.jsonl.part"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
        os.utime(path, (1_000_000, 1_000_000))
    artefact.save(
        folder / "one" / "vqvae.safetensors", {"x": torch.zeros(1)}, {"provenance": SETTINGS}
    )
    (folder / "logs").mkdir()
    (folder / "accepted.jsonl").write_text('{"output": "x"}\n')
    tables = folder / "tables"
    tables.mkdir()
    for name in ("one", "two"):
        (tables / f"{name}-table.md").write_text(f"# {name}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
        (tables / f"{name}-table.long.csv").write_text(f"experiment,value\n{name},1\n")
    return folder


def test_runs_are_the_lines_of_their_logs(results: Path):
    found = runs.find([results, results / "one"])
    assert [run.name for run in found] == NAMES
    of = found[1]
    assert of.config == SETTINGS
    assert found[0].config == {}
    assert [line.step for line in of.lines] == [2, 2, 4]
    assert [line.time for line in of.lines] == [999_998.5, 999_998.75, 1_000_000.0]
    assert [line.metrics for line in of.lines] == [
        {"mse": 0.5},
        {},
        {"mse": 0.25, "val_mse": 0.375},
    ]
    assert [line.warning for line in of.lines] == [None, LINES[1]["warning"], None]


def test_tables_are_those_of_the_experiments(results: Path):
    names = [table.name for table in runs.tables([results / "one"])]
    assert names == ["one-table"]
    assert len(runs.tables([results])) == 2


def test_tensorboard_reads_it_back(results: Path, tmp_path: Path, capsys):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    out = tmp_path / "events"
    assert cli.main(["log", "--to", "tensorboard", str(results), "--output", str(out)]) == 0
    assert f"3 training logs and 2 tables; look at them with: tensorboard --logdir {out}" in (
        capsys.readouterr().out
    )
    for name in NAMES:
        read = events.EventAccumulator(str(out / name)).Reload()
        assert set(read.Tags()["scalars"]) == {"mse", "val_mse"}
        found = [(of.step, of.value, of.wall_time) for of in read.Scalars("mse")]
        assert found == [(2, 0.5, 999_998.5), (4, 0.25, 1_000_000.0)]
        [warning] = read.Tensors("warning/text_summary")
        assert warning.tensor_proto.string_val[0].decode() == LINES[1]["warning"]
    [config] = (
        events.EventAccumulator(str(out / "one" / "vqvae")).Reload().Tensors("config/text_summary")
    )
    assert "layers: 2" in config.tensor_proto.string_val[0].decode()
    tables = events.EventAccumulator(str(out / "tables")).Reload().Tags()["tensors"]
    assert tables == ["one-table/text_summary", "two-table/text_summary"]


def test_trackio_reads_it_back(results: Path, tmp_path: Path):
    """In a process of its own: trackio reads where its store is once."""
    pytest.importorskip("trackio")
    out = tmp_path / "store"
    command = ["-m", "rarl.cli", "log", "--to", "trackio", str(results), "--output", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        f"{out}: 3 training logs and 2 tables; look at them with: TRACKIO_DIR={out} trackio show "
        "--project rarl\n"
    )
    with sqlite3.connect(out / "rarl.db") as store:
        rows = store.execute("SELECT run_name, step, metrics FROM metrics ORDER BY id").fetchall()
        configs = dict(store.execute("SELECT run_name, config FROM configs").fetchall())
    for name in NAMES:
        read = [(step, json.loads(metrics)) for run, step, metrics in rows if run == name]
        assert read == [
            (2, {"seconds": 1.5, "mse": 0.5}),
            (2, {"seconds": 1.75, "warning": LINES[1]["warning"]}),
            (4, {"seconds": 3.0, "mse": 0.25, "val_mse": 0.375}),
        ]
    assert SETTINGS.items() <= json.loads(configs["one/vqvae"]).items()
    assert [run for run, *_ in rows].count("tables") == 2


@pytest.mark.parametrize("tracker", ["tensorboard", "trackio"])
def test_a_package_that_is_missing_is_one_line(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, tracker: str
):
    monkeypatch.setenv("TRACKIO_DIR", "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setitem(sys.modules, tracker, None)
    for name in ("torch.utils.tensorboard", f"rarl.trackers.{tracker}"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    out = tmp_path / "out"
    assert cli.main(["log", "--to", tracker, str(results), "--output", str(out)]) == 1
    error = capsys.readouterr().err
    assert error == (
        f"rarl log: error: --to {tracker}: the Python package {tracker} is missing; install it "
        f"with: pip install {tracker}\n"
    )
    assert not out.exists()


def test_a_folder_without_logs_is_one_line(tmp_path: Path, capsys):
    assert cli.main(["log", "--to", "tensorboard", str(tmp_path), "--output", "x"]) == 1
    assert "holds no training log (*.jsonl)" in capsys.readouterr().err
