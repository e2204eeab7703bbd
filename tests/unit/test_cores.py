"""How many cores there are: the control group's files in both versions, and the affinity mask."""

import os

import pytest
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import OutputSettings, ResourceSettings

from rarl.runtime import cores


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, cores.NO_QUOTA),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, cores.NO_QUOTA),
        ({"cpu.max": "what\n"}, cores.NO_QUOTA),
        ({}, cores.NO_QUOTA),
    ],
)
def test_quota(tmp_path, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert cores.quota(tmp_path) == expected


@pytest.mark.parametrize(
    ("quota", "mask", "expected"), [("50000", 8, 1), ("250000", 8, 3), ("max", 8, 8), ("max", 1, 1)]
)
def test_available_is_the_lesser_of_quota_and_mask(tmp_path, monkeypatch, quota, mask, expected):
    (tmp_path / "cpu.max").write_text(f"{quota} 100000")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(mask)), raising=False)
    assert cores.available(tmp_path) == expected


def test_the_installed_snakemake_takes_the_limit(tmp_path):
    """Fails where a version of Snakemake renames what `cores.limit` sets: jobs of `--cores 1000`
    would then share the cores of this machine."""
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'x'\n    shell: 'touch x'\n")
    most = cores.available()
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        for given, expected in ((1000, most), (1, 1)):
            planned = api.workflow(
                ResourceSettings(cores=given),
                snakefile=tmp_path / "Snakefile",
                workdir=tmp_path,
            )
            workflow = planned._workflow
            assert workflow.cores == given
            note = cores.limit(workflow)
            assert (note is None) == (given <= most)
            assert workflow.cores == expected
            assert set(workflow.global_resources) >= {"_cores", "_nodes"}
