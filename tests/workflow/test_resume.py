"""Stages that are killed go on where they were. Oracle: the same stage, never killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import NoReturn

import pytest
import torch

from helpers.small_jobs import LOG, OUT, PROCESSES, TRAINING, Job, inputs, jobs
from rarl.config import Prior
from rarl.config.stages.train import PriorSettings
from rarl.runtime import checkpoints, files
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.signals import StoppedError
from rarl.stages import prior

__all__ = ["inputs", "jobs"]  # fixtures

KILLS = 3  # of every job


def killed(job: Job, folder: Path, hook: Callable[[], None]) -> int | None:
    """The signal that ended a process of its own that runs the job after the hook; 0 for none."""
    process = PROCESSES.Process(target=run_after, args=(hook, job, folder))
    process.start()
    process.join()
    return None if process.exitcode is None else -process.exitcode


def run_after(hook: Callable[[], None], job: Job, folder: Path) -> None:
    hook()
    job(folder)


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_at_visit(number: int, every: int) -> None:
    """Saves every so many steps, and dies after step `number` of the process."""
    checkpoints.set_interval(0.0, every)
    visit, seen = Checkpoints.visit, [0]

    def counted(self: Checkpoints, *arguments: object) -> None:
        visit(self, *arguments)  # type: ignore[arg-type]
        seen[0] += 1
        if seen[0] == number:
            die()

    Checkpoints.visit = counted  # type: ignore[assignment, method-assign]


def die_in_write(number: int) -> None:
    """Saves after every step, and dies as the file of number `number` is about to be synced."""
    checkpoints.set_interval(0.0, 1)
    sync, seen = os.fsync, [0]

    def counted(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        seen[0] += ".pt." in path.name
        if seen[0] == number:
            os.truncate(path, path.stat().st_size // 2)
            die()
        sync(handle)

    files.os.fsync = counted  # type: ignore[assignment]


def same(a: Path, b: Path) -> bool:
    """Whether two folders hold the same artefact, byte by byte, and logs that differ in clocks."""
    return (a / OUT).read_bytes() == (b / OUT).read_bytes() and figures(a) == figures(b)


def figures(folder: Path) -> list[dict[str, float]]:
    if not (folder / LOG).exists():
        return []
    lines = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in lines]


NAMES = [*TRAINING, "bfloat16", "draw", "reject"]


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_random_steps_it_ends_with_the_same_bits(
    tmp_path: Path, jobs: dict[str, Job], name: str
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs[name](whole)
    random = Random(name)
    for _ in range(KILLS):
        # Up to 2 steps behind a checkpoint, so that some are lost and done again.
        assert killed(jobs[name], broken, partial(die_at_visit, random.randint(1, 3), 2)) == 9
        assert not (broken / OUT).exists()
    jobs[name](broken)
    assert same(whole, broken)
    assert not list(broken.glob("*.state"))


def test_killed_from_outside_the_same_command_goes_on(
    tmp_path: Path, inputs: Path, prior_settings: Prior
):
    """As a batch system kills: at whatever moment."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    of = prior_settings.model_copy(update={"steps": 300, "evaluate_every": 50})
    settings = PriorSettings(seed=0, grid=0, prior=of, precision="float32")
    prior.run(settings, codes=inputs / "codes-two", output=whole / OUT, metrics=whole / LOG)
    command = [
        *(sys.executable, "-m", "rarl.cli", "stage", "prior", "--threads", "1"),
        *("--checkpoint-steps", "1", "--settings", settings.to_json()),
        *("--codes", str(inputs / "codes-two")),
        *("--output", str(broken / OUT), "--metrics", str(broken / LOG)),
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        while not list(broken.glob("*.state/*.pt")):
            assert running.poll() is None
            time.sleep(0.01)
        time.sleep(Random(0).uniform(0, 0.3))
        running.kill()
    assert not (broken / OUT).exists()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "goes on from here" in done.stderr
    assert same(whole, broken)


@pytest.mark.parametrize("name", ["prior-0", "draw"])
def test_killed_within_the_write_of_a_checkpoint(tmp_path: Path, jobs: dict[str, Job], name: str):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs[name](whole)
    for number in (1, 2, 3):
        assert killed(jobs[name], broken, partial(die_in_write, number)) == 9
        assert len(list(broken.glob("*.state/.*.tmp"))) == 1
    jobs[name](broken)
    assert same(whole, broken)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def write_nothing(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, write_nothing])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_serves(
    tmp_path: Path,
    jobs: dict[str, Job],
    capfd: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs["prior-0"](whole)
    assert killed(jobs["prior-0"], broken, partial(die_at_visit, 5, 1)) == 9
    before, newest = sorted(broken.glob("*.state/*.pt"))
    damage(newest)
    capfd.readouterr()
    jobs["prior-0"](broken)
    said = capfd.readouterr().err.splitlines()
    assert said[0] == f"{newest}: the checkpoint is damaged; not used"
    assert said[1] == f"{before}: goes on from here"
    assert same(whole, broken)


def test_checkpoints_of_other_settings_are_refused(
    tmp_path: Path, jobs: dict[str, Job], capfd: pytest.CaptureFixture[str]
):
    """`prior-0` and `prior-1` differ in the grid alone."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs["prior-1"](whole)
    assert killed(jobs["prior-0"], broken, partial(die_at_visit, 5, 1)) == 9
    jobs["prior-1"](broken)
    said = capfd.readouterr().err
    assert said.count("the checkpoint is of other settings, inputs or code; not used") == 2
    assert same(whole, broken)
    assert not list(broken.glob("*.state"))


def test_killed_again_after_a_change_of_settings_it_goes_on_from_the_second_kill(
    tmp_path: Path, jobs: dict[str, Job], capfd: pytest.CaptureFixture[str]
):
    """The checkpoints of the first settings are of later steps."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs["prior-1"](whole)
    assert killed(jobs["prior-0"], broken, partial(die_at_visit, 7, 1)) == 9
    assert killed(jobs["prior-1"], broken, partial(die_at_visit, 3, 1)) == 9
    newest = max(broken.glob("*.state/*.pt"))
    assert newest.name.startswith("0000000003-")
    capfd.readouterr()
    jobs["prior-1"](broken)
    assert capfd.readouterr().err.splitlines()[0] == f"{newest}: goes on from here"
    assert same(whole, broken)


def test_what_is_refused_is_kept_no_longer_than_there_is_room(tmp_path: Path):
    """Nor is it removed before: who takes a change of settings back goes on."""
    first, second = (Checkpoints(tmp_path / "out", {"setting": n}) for n in (1, 2))
    for done in (90, 100):
        first.save(done, {"done": done})
    assert second.load() is None
    left = []
    for done in (5, 10, 15):
        second.save(done, {"done": done})
        left.append(sorted(int(path.name[:10]) for path in first.folder.iterdir()))
    assert left == [[5, 100], [5, 10], [10, 15]]


def test_a_checkpoint_that_is_a_pickle_is_not_unpickled(
    tmp_path: Path, jobs: dict[str, Job], capfd: pytest.CaptureFixture[str]
):
    class Malicious:
        def __reduce__(self) -> object:
            return Path.touch, (tmp_path / "bitten",)

    folder = tmp_path / "out.state"
    folder.mkdir()
    torch.save(Malicious(), folder / "new")
    torch.load(folder / "new", weights_only=False)
    assert (tmp_path / "bitten").exists()  # it bites where it is unpickled
    (tmp_path / "bitten").unlink()
    (folder / "new").rename(folder / f"0000000001-{files.sha256(folder / 'new')}.pt")
    jobs["draw"](tmp_path)
    assert "is no checkpoint; not used" in capfd.readouterr().err
    assert not (tmp_path / "bitten").exists()


@pytest.mark.parametrize("name", ["vqvae", "reinforce", "draw"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_asked_to_stop_it_saves_first(
    tmp_path: Path,
    jobs: dict[str, Job],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: signal.Signals,
):
    """Whatever the interval, and within a step; then the same command goes on."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs[name](whole)
    visit, seen = Checkpoints.visit, [0]

    def counted(self: Checkpoints, *arguments: object) -> None:
        seen[0] += 1
        if seen[0] == 3:
            os.kill(os.getpid(), number)
        visit(self, *arguments)  # type: ignore[arg-type]

    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGUSR1)]
    monkeypatch.setattr(Checkpoints, "visit", counted)
    with pytest.raises(StoppedError, match=rf"stopped by {number.name} at .*; the same command"):
        jobs[name](broken)
    assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGUSR1)] == before
    assert not (broken / OUT).exists()
    assert len(list(broken.glob("*.state/*.pt"))) == 1
    jobs[name](broken)
    assert same(whole, broken)


def test_a_disk_that_is_full_leaves_the_checkpoint_before(
    tmp_path: Path, jobs: dict[str, Job], monkeypatch: pytest.MonkeyPatch
):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    jobs["prior-0"](whole)
    checkpoints.set_interval(0.0, 3)
    write, seen = Path.write_bytes, [0]

    def failing(self: Path, content: bytes) -> int:
        seen[0] += self.suffix == ".tmp"
        if seen[0] == 2:
            write(self, bytes(content)[:100])
            raise OSError(28, "No space left on device", str(self))
        return write(self, content)

    monkeypatch.setattr(Path, "write_bytes", failing)
    try:
        with pytest.raises(OSError, match="No space left"):
            jobs["prior-0"](broken)
    finally:
        checkpoints.set_interval(0.0, 0)
    assert [path.suffix for path in broken.glob("out.state/*")] == [".pt"]
    monkeypatch.undo()
    jobs["prior-0"](broken)
    assert same(whole, broken)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a file system of so many bytes, or gives it another size. Needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def of(size: int) -> Path:
        again = "remount," if folder.is_mount() else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{again}size={size}", "tmpfs", str(folder)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("mounting a file system needs root")
        return folder

    yield of
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


def test_a_real_disk_that_is_full_and_then_is_not(
    tmp_path: Path, jobs: dict[str, Job], small_disk: Callable[[int], Path]
):
    whole, measured = tmp_path / "whole", tmp_path / "measured"
    jobs["prior-0"](whole)
    assert killed(jobs["prior-0"], measured, partial(die_at_visit, 2, 1)) == 9
    size = max(path.stat().st_size for path in measured.glob("*.state/*.pt"))
    disk = small_disk(5 * size // 2)  # for two checkpoints, not for three
    checkpoints.set_interval(0.0, 1)
    try:
        with pytest.raises(OSError, match="No space left"):
            jobs["prior-0"](disk)
    finally:
        checkpoints.set_interval(0.0, 0)
    assert [path.suffix for path in disk.glob("out.state/*")] == [".pt", ".pt"]
    jobs["prior-0"](small_disk(20 * size))
    assert same(whole, disk)
