"""Processes that share batches train what one process trains. Oracle: that one process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.distributed as dist

from helpers.small_jobs import LOG, OUT, PROCESSES, TRAINING, Job, inputs, jobs
from rarl.config import Prior
from rarl.config.stages.train import PriorSettings
from rarl.models.quantize import Quantizer
from rarl.runtime import artefact, parallel
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.ranks import rank
from rarl.runtime.signals import StoppedError, noted

__all__ = ["inputs", "jobs"]  # fixtures


@pytest.fixture
def prior_settings(prior_settings: Prior) -> Prior:
    """Without dropout, whose masks are each process's own."""
    return prior_settings.model_copy(update={"dropout": 0.0})


def precision(name: str) -> tuple[torch.dtype, float]:
    """Of a job where it can in float64, in which only more than the order of sums shows.

    And how far two results may then be apart.
    """
    if name in ("vqvae", "sharp", "reinforce", "frechet"):  # their images are float32
        return torch.float32, 1e-3
    return torch.float64, 1e-7


def together(count: int, dtype: torch.dtype, work: Callable[[], None]) -> list[int | None]:
    """Exit statuses of as many processes, each with its rank, that run `work`."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(found.getsockname()[1])}
    processes = [
        PROCESSES.Process(
            target=member,
            args=(address | {"RANK": str(rank), "WORLD_SIZE": str(count)}, dtype, work),
        )
        for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


def member(environment: dict[str, str], dtype: torch.dtype, work: Callable[[], None]) -> None:
    os.environ |= environment
    torch.set_default_dtype(dtype)
    parallel.join()
    try:
        work()
    except StoppedError as stopped:
        sys.exit(stopped.status)
    if dist.is_initialized():
        dist.barrier()  # nobody leaves while another still talks


def assert_close(a: Path, b: Path, within: float) -> None:
    """Two folders hold the same results but for the order of sums.

    Not the bias of the attention's keys: its gradient is 0, and Adam makes steps of the rounding.
    """
    of_a, of_b = artefact.load(a / OUT), artefact.load(b / OUT)
    for name, tensor in of_a.tensors.items():
        if not name.endswith("key_value.bias"):
            torch.testing.assert_close(of_b.tensors[name], tensor, rtol=within, atol=within)
    lines_a, lines_b = (
        [json.loads(line) for line in (folder / LOG).read_text().splitlines()] for folder in (a, b)
    )
    for line_a, line_b in zip(lines_a, lines_b, strict=True):
        assert line_a.keys() == line_b.keys()
        for name, value in line_a.items():
            if "seconds" not in name:
                assert line_b[name] == pytest.approx(value, rel=within, abs=within), name


@pytest.mark.parametrize("name", TRAINING)
def test_two_processes_train_what_one_trains(tmp_path: Path, jobs: dict[str, Job], name: str):
    one, two = tmp_path / "one", tmp_path / "two"
    dtype, within = precision(name)
    assert together(1, dtype, partial(jobs[name], one)) == [0]
    assert together(2, dtype, partial(jobs[name], two)) == [0, 0]
    assert_close(one, two, within)
    assert sorted(path.name for path in two.iterdir()) == sorted([OUT, LOG])


@pytest.mark.parametrize("name", ["vqvae", "parts"])
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_another_number_of_processes_goes_on(
    tmp_path: Path, jobs: dict[str, Job], name: str, before: int, after: int
):
    """Stopped in the middle, by a signal to the last process alone."""
    one, both = tmp_path / "one", tmp_path / "both"
    dtype, within = precision(name)
    assert together(1, dtype, partial(jobs[name], one)) == [0]
    stopped = partial(run_until_stopped, before - 1, jobs[name], both)
    assert together(before, dtype, stopped) == [143] * before
    assert len(list(both.glob("*.state/*.pt"))) == 1
    assert together(after, dtype, partial(jobs[name], both)) == [0] * after
    assert_close(one, both, within)


def run_until_stopped(last: int, job: Job, folder: Path) -> None:
    """The process of rank `last` gets a signal in the fourth step."""
    visit, seen = Checkpoints.visit, [0]

    def counted(self: Checkpoints, *arguments: object) -> None:
        seen[0] += 1
        if seen[0] == 4 and rank() == last:
            os.kill(os.getpid(), signal.SIGTERM)
        visit(self, *arguments)  # type: ignore[arg-type]

    Checkpoints.visit = counted  # type: ignore[assignment, method-assign]
    job(folder)


def exchange() -> None:
    whole = torch.arange(12).view(6, 2)
    mine = parallel.local_shard(whole)
    assert len(mine) == 2
    assert torch.equal(parallel.gather(mine), whole)
    assert parallel.any_of(rank() == 2)
    assert not parallel.any_of(False)
    assert parallel.broadcast_from_rank0(rank) == 0
    assert parallel.average({"rank": torch.tensor(float(rank()))}) == {"rank": 1.0}
    torch.manual_seed(0)
    before = torch.rand(())
    torch.manual_seed(0)
    parallel.fork_rng()
    assert (torch.rand(()) == before) == (rank() == 0)


def test_gathered_shares_are_the_batch(monkeypatch: pytest.MonkeyPatch):
    assert together(3, torch.float32, exchange) == [0, 0, 0]
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="5 rows for 2 processes"):
        parallel.local_shard(torch.arange(5))


@pytest.mark.parametrize(
    ("processes", "gpus", "backend"),
    [(2, 0, "gloo"), (2, 1, "gloo"), (2, 2, "nccl"), (1, 8, "nccl")],
)
def test_two_processes_on_one_gpu_do_not_take_nccl(processes: int, gpus: int, backend: str):
    assert parallel.usual_backend(processes, gpus) == backend


SLOW_WRITES = """
import os, time
sync = os.fsync
def slow(handle):
    time.sleep(3)
    sync(handle)
os.fsync = slow
"""


def children(process: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def runs(process: int) -> bool:
    """Not what waits for its parent to notice that it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_signal_to_torchrun_stops_all_processes_without_loss(
    tmp_path: Path, inputs: Path, prior_settings: Prior
):
    """One signal after the other. Oracle: the same processes, never stopped.

    A save takes 3 s, and torchrun would wait for 1 s if it were not told otherwise.
    """
    of = prior_settings.model_copy(update={"steps": 60, "evaluate_every": 30})
    settings = PriorSettings(seed=0, grid=0, prior=of, precision="float32").to_json()
    (tmp_path / "sitecustomize.py").write_text(SLOW_WRITES)
    usual = os.environ | {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "1"}
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    slow = usual | {"PYTHONPATH": path}
    whole, broken = tmp_path / "whole", tmp_path / "broken"

    def command(out: Path) -> list[str]:
        return [
            *(sys.executable, "-m", "rarl.cli", "stage", "prior", "--gpus", "2", "--threads", "2"),
            *("--shutdown-seconds", "60", "--settings", settings),
            *("--codes", str(inputs / "codes-two")),
            *("--output", str(out / OUT), "--metrics", str(out / LOG)),
        ]

    def stop(number: signal.Signals, lines: int) -> Path:
        """The newest checkpoint after a signal to torchrun when the log has `lines`."""
        part, said = broken / (LOG + ".part"), tmp_path / number.name
        with (
            said.open("w") as errors,
            subprocess.Popen(command(broken), env=slow, stderr=errors) as agent,
        ):
            while not part.exists() or len(part.read_text().splitlines()) < lines:
                assert agent.poll() is None, said.read_text()
                time.sleep(0.01)
            workers = children(agent.pid)
            agent.send_signal(number)
            assert agent.wait(60) != 0
        assert len(workers) >= 2
        assert not any(map(runs, workers))
        stopped = rf"rarl stage prior: stopped by {number.name} at step (\d+);"
        [step] = re.findall(stopped, said.read_text())
        saved = max(broken.glob("*.state/*.pt"))
        assert int(saved.name.partition("-")[0]) == int(step) < of.steps
        return saved

    def finish(out: Path) -> str:
        done = subprocess.run(command(out), env=usual, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stderr

    finish(whole)
    first = stop(signal.SIGUSR1, 4)
    second = stop(signal.SIGTERM, 20)
    assert f"{first}: goes on from here" in (tmp_path / "SIGTERM").read_text()
    assert f"{second}: goes on from here" in finish(broken)
    assert (whole / OUT).read_bytes() == (broken / OUT).read_bytes()


def test_a_process_beside_others_survives_a_signal_that_comes_twice(
    monkeypatch: pytest.MonkeyPatch,
):
    """A batch system sends it to all processes, and torchrun passes its own on."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    with noted() as asked:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert asked.number == signal.SIGUSR1


def restart() -> None:
    """Of 32 vectors in all, 8 codes expect 4 each: a code that has 1.5 is below half of that."""
    torch.manual_seed(0)
    made = Quantizer(8, 3, decay=0.999, restart_threshold=0.5, unit_length=False)
    made(parallel.local_shard(torch.randn(8, 3, 2, 2)))
    made.usage.fill_(1.5)
    made(parallel.local_shard(torch.randn(8, 3, 2, 2)))
    assert made.usage.tolist() == [4.0] * 8  # twice the least; of 16 vectors 1.5 would be enough


def test_a_dead_code_is_one_that_no_process_uses():
    assert together(2, torch.float32, restart) == [0, 0]


def test_the_command_starts_as_many_processes(
    tmp_path: Path, inputs: Path, jobs: dict[str, Job], prior_settings: Prior
):
    """By torchrun."""
    one, two = tmp_path / "one", tmp_path / "two"
    jobs["prior-0"](one)
    of = prior_settings.model_copy(update={"steps": 8})
    settings = PriorSettings(seed=0, grid=0, prior=of, precision="float32").to_json()
    two.mkdir()
    command = [
        *(sys.executable, "-m", "rarl.cli", "stage", "prior", "--gpus", "2", "--threads", "2"),
        *("--settings", settings, "--codes", str(inputs / "codes-two")),
        *("--output", str(two / OUT), "--metrics", str(two / LOG)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_close(one, two, 1e-3)
    command[command.index("--codes") + 1] = str(tmp_path / "nothing")
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert failed.stderr.count("rarl stage prior: error: ") == 1
