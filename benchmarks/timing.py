"""What the benchmarks share: clocks, arithmetic, memory, tables. Alone: what the machine can do.

    OMP_NUM_THREADS=1 python benchmarks/timing.py

With one thread, a CPU's clock counts the seconds that the process computes, so that other work on
the machine changes figures little (it still shares caches and memory); a GPU's is the wall's.
"""

import platform
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
import torch
from torch._ops import OpOverload
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from rarl.runtime import device, memory

T = TypeVar("T")
Work = Callable[[], object]

memory.keep_freed()  # as the process of a stage
PATIENCE = 10.0  # seconds: what takes longer is run once, without a run before to warm up


def now() -> float:
    """Seconds of the clock: of computing on a CPU, of the wall with a GPU, once it is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def seconds(*works: Work, repeats: int = 3) -> list[float]:
    """Median seconds of each, after a run to warm up; they take turns, so that what else the
    machine does meets all alike."""
    first = [_once(work) for work in works]
    if sum(first) > PATIENCE:
        return first
    turns = [[_once(work) for work in works] for _ in range(repeats)]
    return [median(times) for times in zip(*turns, strict=True)]


def _once(work: Work) -> float:
    start = now()
    work()
    return now() - start


class Arithmetic(TorchDispatchMode):
    """Counts the floating-point operations of matrix products and convolutions: nearly all.

    With the formulas of FlopCounterMode, which itself follows modules and so fails where a
    gradient of a gradient is taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Called by torch for every operation, in the place of it."""
        result = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func.overloadpacket):
            self.flops += count(*args, **(kwargs or {}), out_val=result)
        return result


@contextmanager
def arithmetic() -> Iterator[Arithmetic]:
    """Counts what runs within, attention as the products that it consists of."""
    with sdpa_kernel(SDPBackend.MATH), Arithmetic() as counter:
        yield counter


def flops(work: Work) -> int:
    """Floating-point operations of some work."""
    with arithmetic() as counter:
        work()
    return counter.flops


class Product:
    """A product of two square matrices: about the most arithmetic a second that can be had."""

    def __init__(self, side: int = 2048, dtype: torch.dtype = torch.float32) -> None:
        self.flops = 2 * side**3
        self.matrix = torch.rand(side, side, dtype=dtype, device=device.pick())

    def __call__(self) -> object:
        return self.matrix @ self.matrix


def peak_memory() -> float:
    """The most that this process held so far, MiB: on a GPU in tensors, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    # Not getrusage(): there a new process begins with its parent's peak.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None  # Linux has it
    return int(found[1]) / 2**10


def alone(function: Callable[..., T], *arguments: object) -> T:
    """What a function gives in a process of its own, which reuses no memory of what ran before."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(torch.set_num_threads, torch.get_num_threads()).result()
        return pool.submit(function, *arguments).result()


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table in Markdown; the first column holds words, the others figures."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n{title}\n")
    for row in (columns, rule, *rows):
        first, *figures = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in figures)]
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """The limits that the other benchmarks are held against."""
    single, double = Product(), Product(dtype=torch.float64)
    source = torch.ones(2**26, device=device.pick())  # 256 MiB: more than a cache holds
    target = torch.zeros_like(source)
    times = seconds(single, double, lambda: target.copy_(source))
    done = (single.flops, double.flops, 2 * source.nbytes)  # the copy reads and writes
    gemm32, gemm64, copied = (work / s / 1e9 for work, s in zip(done, times, strict=True))
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    show(
        f"{device.name()} on {cpu[1] if cpu else platform.machine()}; Python "
        f"{platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}",
        ["limit", "measured"],
        [
            ["matrix product, float32, GFLOP/s", f"{gemm32:.1f}"],
            ["matrix product, float64, GFLOP/s", f"{gemm64:.1f}"],
            ["memory, read and written by a copy, GB/s", f"{copied:.1f}"],
        ],
    )


if __name__ == "__main__":
    main()
