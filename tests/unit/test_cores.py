"""How many cores there are: the control group's files in both versions, and the affinity mask."""

import os

import pytest

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
