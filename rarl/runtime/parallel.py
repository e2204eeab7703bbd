"""Data parallel training: processes with equal weights, each with its share of every batch.

torchrun starts them, one for each GPU; in a process that is alone, all of this changes nothing.
What is random about a batch is drawn for the whole batch by every process, from one stream, before
each takes its share: so the number of processes decides no more than the order of sums.
"""

import os
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Literal, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from rarl.runtime import seeds
from rarl.runtime.ranks import rank, world_size

T = TypeVar("T")

PATIENCE = timedelta(hours=6)  # the others wait while the first evaluates


Backend = Literal["nccl", "gloo"]


def join(backend: Backend | None = None) -> None:
    """Meets the other processes, if there are any; call once, before any model is built.

    Without a `backend`, the usual one. Processes of one machine take its GPUs in turn.
    """
    if world_size() > 1 and not dist.is_initialized():
        gpus = torch.cuda.device_count()
        if gpus:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", rank())) % gpus)
        beside = int(os.environ.get("LOCAL_WORLD_SIZE", world_size()))  # on this machine
        dist.init_process_group(backend or usual_backend(beside, gpus), timeout=PATIENCE)


def usual_backend(processes: int, gpus: int) -> Backend:
    """Of processes on one machine: NCCL, which refuses two on one GPU, else gloo."""
    return "nccl" if processes <= gpus else "gloo"


def local_shard(rows: Tensor) -> Tensor:
    """This process's part of a whole batch. Raises ValueError when the parts are not equal."""
    if len(rows) % world_size():
        raise ValueError(f"{len(rows)} rows for {world_size()} processes")
    return rows.chunk(world_size())[rank()]


def gather(rows: Tensor) -> Tensor:
    """The whole batch, of every process's part; carries no gradient."""
    if world_size() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(world_size())]
    dist.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """After `backward` of a mean over a share: the gradients of the mean over the batch."""
    if world_size() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= world_size()
    pieces = flat.split([gradient.numel() for gradient in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))


def average(figures: dict[str, Tensor]) -> dict[str, float]:
    """Means over the processes of figures that are means over their shares."""
    if not figures:
        return {}
    values = torch.stack([value.detach().double().cpu() for value in figures.values()])
    if world_size() > 1:
        values = torch.stack(_everyones(values)).mean(0)
    return dict(zip(figures, values.tolist(), strict=True))


def any_of(flag: bool) -> bool:
    """Whether it is true in any process."""
    return flag if world_size() == 1 else any(_everyones(flag))


def broadcast_from_rank0(compute: Callable[[], T]) -> T:
    """What the first process computes, while the others wait."""
    if world_size() == 1:
        return compute()
    box = [compute() if rank() == 0 else None]
    dist.broadcast_object_list(box)
    return cast(T, box[0])


def fork_rng() -> None:
    """From here on, until the next seed is set, each process has a random stream of its own."""
    if rank():
        torch.manual_seed(seeds.derive(torch.initial_seed(), "rank", rank()))


def _everyones(value: T) -> list[T]:
    found: list[T | None] = [None] * world_size()
    dist.all_gather_object(found, value)
    return cast(list[T], found)
