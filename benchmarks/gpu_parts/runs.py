"""Runs as a whole on this device: one that was stopped and goes on, two processes as one."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor

from gpu_parts import sizes
from gpu_parts.result import Result
from rarl.config import Config
from rarl.config.stages.train import FinetuneSettings, PriorSettings
from rarl.models.codes import CodeSet
from rarl.models.prior import CodePrior
from rarl.models.vqvae import VQVAE
from rarl.rl.finetune import finetune
from rarl.rl.rewards.inputs import load_reward
from rarl.runtime import device, parallel
from rarl.runtime.checkpoints import Checkpoints
from rarl.runtime.signals import StoppedError
from rarl.runtime.train_log import TrainLog
from rarl.train.prior import train_prior

ITERATIONS, STOPPED_AT = 6, 3
PROCESSES = 2
TWO = {"prior": {"dropout": 0.0, "steps": 6, "evaluate_every": 6, "batch_size": 8}}
RUN = {"rl": {"iterations": ITERATIONS, "evaluate_every": 3, "evaluate_samples": 8}}
WARMUP = {"rl": {"rewards": {"critic": {"pixel": {"warmup_steps": 2}}}}}


class CheapSelection:
    """A metric that costs nothing: the mean of the weights."""

    metric = "weights"

    def __call__(self, prior: CodePrior, settings: FinetuneSettings) -> float:
        del settings
        return float(torch.stack([p.mean() for p in prior.parameters()]).mean())


def resumed(config: Config) -> Result:
    """An RL run that is stopped by a signal after some iterations, and one that is not.

    With toy networks. Their weights differ by no more than sums in another order make.
    """
    del config  # sizes do not matter here
    of, found = sizes.changed(sizes.changed(sizes.config(small=True), RUN), WARMUP), Result()
    torch.use_deterministic_algorithms(True, warn_only=True)
    with tempfile.TemporaryDirectory() as name:
        whole = _tune(of, Path(name) / "whole")
        try:
            with _stopping_at(STOPPED_AT):
                _tune(of, Path(name) / "broken")
        except StoppedError:
            saved = list((Path(name) / "broken").glob("*.state/*.pt"))
            found.check("checkpoints missing", 1.0 - len(saved), most=0)
        broken = _tune(of, Path(name) / "broken")
    found.check("weights of the resumed run, from the other's", _apart(whole, broken), most=1e-3)
    same = all(torch.equal(whole[key], broken[key]) for key in whole)
    found.rows.append({"run": "RL, stopped and resumed", "equal bits": "yes" if same else "no"})
    return found


def _tune(config: Config, folder: Path) -> dict[str, Tensor]:
    of = config.experiments[sizes.EXPERIMENT]
    on = device.pick()
    torch.manual_seed(1)
    vqvae = VQVAE(of.vqvae, len(of.latents)).to(on).eval().requires_grad_(False)
    codes, output = _codes(config), folder / "prior"
    settings = FinetuneSettings.from_config(config, sizes.EXPERIMENT, "single")
    prior = sizes.prior(of)
    with Checkpoints(output, {}) as checkpoints:
        tuned = finetune(
            settings,
            prior,
            {"train": codes, "val": codes},
            vqvae,
            CheapSelection(),
            load_reward(settings, prior, vqvae, None),
            log=TrainLog(folder / "log.jsonl"),
            checkpoints=checkpoints,
        )
    return {key: tensor.cpu() for key, tensor in tuned.state_dict().items()}


def _codes(config: Config) -> CodeSet:
    of = config.experiments[sizes.EXPERIMENT]
    size, random = of.vqvae.codebook_size, torch.Generator().manual_seed(0)
    levels = (torch.randint(size, (32, n, n), generator=random) for n in of.latents)
    return CodeSet(tuple(level.to(torch.int16) for level in levels), size)


@contextmanager
def _stopping_at(number: int) -> Iterator[None]:
    """Within, the process gets a signal at a visit of the checkpoints."""
    visit, seen = Checkpoints.visit, [0]

    def counted(self: Checkpoints, *arguments: object) -> None:
        seen[0] += 1
        if seen[0] == number:
            os.kill(os.getpid(), signal.SIGTERM)
        visit(self, *arguments)  # type: ignore[arg-type]

    with patch.object(Checkpoints, "visit", counted):
        yield


def processes(config: Config) -> Result:
    """A prior trained by two processes on one GPU, which meet by gloo, and by one."""
    del config
    found = Result()
    with tempfile.TemporaryDirectory() as name:
        for count in (1, PROCESSES):
            _together(count, Path(name) / str(count))
        one, two = (
            torch.load(Path(name) / str(count), weights_only=True) for count in (1, PROCESSES)
        )
    found.check("weights by two processes, from one's", _apart(one, two), most=1e-3)
    found.rows.append({"run": f"a prior by {PROCESSES} processes", "apart": _apart(one, two)})
    return found


def _together(count: int, output: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    context = get_context("fork")  # nothing here has touched the GPU yet
    members = [context.Process(target=_member, args=(n, count, port, output)) for n in range(count)]
    for member in members:
        member.start()
    for member in members:
        member.join()
    if any(member.exitcode for member in members):
        raise RuntimeError(f"processes ended with {[member.exitcode for member in members]}")


def _member(rank: int, count: int, port: str, output: Path) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
    torch.set_num_threads(1)
    parallel.join("gloo")
    config = sizes.changed(sizes.config(small=True), TWO)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained = train_prior(
            PriorSettings.from_config(config, sizes.EXPERIMENT, "top"),
            _codes(config),
            _codes(config),
            device=device.pick(),
            log=TrainLog(folder / "log.jsonl"),
            checkpoints=Checkpoints(folder / "prior", {}),
        )
    if rank == 0:
        torch.save({key: tensor.cpu() for key, tensor in trained.state_dict().items()}, output)
    if count > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def _apart(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """The largest difference; not of what has no gradient but rounding's, which Adam blows up."""
    return max(
        float((a[key] - b[key]).abs().max()) for key in a if not key.endswith("key_value.bias")
    )
