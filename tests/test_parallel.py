"""Processes that share batches train what one process trains. Oracle: that one process."""

import json
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from small_jobs import LOG, OUT, Job, inputs, jobs

from rarl import plan
from rarl.config import Prior
from rarl.runtime import artefact, checkpoints, parallel
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.signals import StoppedError
from rarl.stage_settings import PriorSettings

__all__ = ["inputs", "jobs"]  # fixtures

TRAINING = ["vqvae", "prior-0", "prior-1", "critic", "mle", "reinforce", "parts"]


@pytest.fixture
def prior_settings(prior_settings: Prior) -> Prior:
    """Without dropout, whose masks are each process's own."""
    return prior_settings.model_copy(update={"dropout": 0.0})


@contextmanager
def precision(name: str) -> Iterator[float]:
    """Where a job can, in float64, in which only more than the order of sums shows.

    Gives how far two results may then be apart.
    """
    single = name in ("vqvae", "reinforce")  # their pictures are float32
    torch.set_default_dtype(torch.float32 if single else torch.float64)
    yield 1e-3 if single else 1e-7
    torch.set_default_dtype(torch.float32)


def together(count: int, work: Callable[[], None]) -> list[int]:
    """Exit statuses of as many processes, each with its rank, that run `work`."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    children = []
    for rank in range(count):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's idle threads stay behind
            child = os.fork()
        if child == 0:
            address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            os.environ |= address | {"RANK": str(rank), "WORLD_SIZE": str(count)}
            try:
                parallel.join()
                work()
            except StoppedError as stopped:
                os._exit(stopped.status)
            except BaseException as error:
                sys.stderr.write(f"rank {rank}: {error!r}\n")
                os._exit(1)
            if dist.is_initialized():
                dist.barrier()  # nobody leaves while another still talks
            os._exit(0)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


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
    with precision(name) as within:
        jobs[name](one)
        assert together(2, lambda: jobs[name](two)) == [0, 0]
    assert_close(one, two, within)
    assert sorted(path.name for path in two.iterdir()) == sorted([OUT, LOG])


@pytest.mark.parametrize("name", ["vqvae", "parts"])
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_another_number_of_processes_goes_on(
    tmp_path: Path, jobs: dict[str, Job], name: str, before: int, after: int
):
    """Stopped in the middle, by a signal to the last process alone."""
    one, both = tmp_path / "one", tmp_path / "both"

    def stopped() -> None:
        visit, seen = Checkpoints.visit, [0]

        def counted(self: Checkpoints, *arguments: object) -> None:
            seen[0] += 1
            if seen[0] == 4 and int(os.environ["RANK"]) == before - 1:
                os.kill(os.getpid(), signal.SIGTERM)
            visit(self, *arguments)  # type: ignore[arg-type]

        Checkpoints.visit = counted  # type: ignore[assignment, method-assign]
        checkpoints.set_interval(0.0, 0)
        jobs[name](both)

    with precision(name) as within:
        jobs[name](one)
        assert together(before, stopped) == [143] * before
        assert len(list(both.glob("*.state/*.pt"))) == 1
        assert together(after, lambda: jobs[name](both)) == [0] * after
    assert_close(one, both, within)


def test_gathered_shares_are_the_batch():
    def work() -> None:
        whole = torch.arange(12).view(6, 2)
        mine = parallel.share(whole)
        assert len(mine) == 2
        assert torch.equal(parallel.gather(mine), whole)
        assert parallel.any_of(parallel.rank() == 2)
        assert not parallel.any_of(False)
        assert parallel.from_first(parallel.rank) == 0
        assert parallel.average({"rank": torch.tensor(float(parallel.rank()))}) == {"rank": 1.0}
        torch.manual_seed(0)
        before = torch.rand(())
        torch.manual_seed(0)
        parallel.diverge()
        assert (torch.rand(()) == before) == (parallel.rank() == 0)

    assert together(3, work) == [0, 0, 0]
    with pytest.raises(ValueError, match="5 rows for 2 processes"):
        os.environ["WORLD_SIZE"] = "2"
        try:
            parallel.share(torch.arange(5))
        finally:
            del os.environ["WORLD_SIZE"]


def test_the_command_starts_as_many_processes(
    tmp_path: Path, inputs: Path, jobs: dict[str, Job], prior_settings: Prior
):
    """By torchrun."""
    one, two = tmp_path / "one", tmp_path / "two"
    jobs["prior-0"](one)
    of = prior_settings.model_copy(update={"steps": 8})
    settings = plan.to_json(PriorSettings(seed=0, grid=0, prior=of))
    two.mkdir()
    command = [
        *(sys.executable, "-m", "rarl.cli", "prior", "--gpus", "2", "--threads", "2"),
        *("--settings", settings, "--codes", str(inputs / "codes-two")),
        *("--output", str(two / OUT), "--metrics", str(two / LOG)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_close(one, two, 1e-3)
    command[command.index("--codes") + 1] = str(tmp_path / "nothing")
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert failed.stderr.count("rarl prior: error: ") == 1
