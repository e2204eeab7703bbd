"""The peak memory of what holds a number for every codebook entry: counted, and measured.

    python benchmarks/memory.py

Counted: the tensors that live at once, with tensors that have a shape and no content, beyond what
lives before. Measured: the growth of resident memory in a process of its own, on the CPU with one
thread, where the C library returns freed tensors to the system. Models are config.yaml's of 32x32
and 64x64 codes, with a codebook of 8,192 entries.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from scale import policy_pass
from timing import alone, peak_memory, show
from torch import Tensor
from torch._ops import OpOverload
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rarl.config import Config, load
from rarl.models.prior import new_prior
from rarl.models.quantize import Quantizer

CONFIG, EXPERIMENT, CODEBOOK = "config.yaml", "openmoji-256-32-64", 8192
FULL, HERE = 128, (4, 8)  # images a batch: the paper's, and what fits a small machine
FLOAT = 4  # bytes
RETURNED = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}

Work = Callable[[], object]


class Case(NamedTuple):
    make: Callable[[int], Work]  # for so many images a batch
    whole: float  # bytes an image of one tensor with a number for every entry and code


class Live(TorchDispatchMode):
    """The peak of the bytes of tensors that operations made and that still live."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._storages: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Called by torch for every operation, in the place of it."""
        given = {_key(x) for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)}
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, Tensor) and _key(made) not in given:
                storage = made.untyped_storage()
                self._storages[_key(made)] = StorageWeakRef(storage), storage.nbytes()
        alive = {key: it for key, it in self._storages.items() if not it[0].expired()}
        self._storages = alive
        self.peak = max(self.peak, sum(size for _, size in alive.values()))
        return result


def _key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def settings() -> Config:
    config = load(CONFIG)
    of = config.experiments[EXPERIMENT]
    vqvae = of.vqvae.model_copy(update={"codebook_size": CODEBOOK})
    return config.model_copy(
        update={"experiments": {EXPERIMENT: of.model_copy(update={"vqvae": vqvae})}}
    )


def search(images: int) -> Work:
    """The nearest entries of the finest grid's vectors."""
    of = settings().experiments[EXPERIMENT]
    quantizer = Quantizer(CODEBOOK, of.vqvae.codebook_dim, 0.99, 0.0, unit_length=False)
    vectors = torch.zeros(images * of.latents[-1] ** 2, of.vqvae.codebook_dim)
    return lambda: quantizer.nearest(vectors)


def policy(images: int) -> Work:
    """A policy step, once its optimiser's moments and the libraries are there."""
    config = settings()
    prior = new_prior(config.experiments[EXPERIMENT])
    step, warm_up = (policy_pass(config, EXPERIMENT, prior, count) for count in (images, 2))
    warm_up()
    return step


def counted(make: Callable[[int], Work], images: int) -> float:
    """Bytes."""
    with FakeTensorMode():
        work = make(images)
        with Live() as live:
            work()
    return live.peak


def measured(make: Callable[[int], Work], images: int) -> float:
    """Bytes; see `alone`."""
    work = make(images)
    Path("/proc/self/clear_refs").write_text("5")  # Linux: forgets the peak so far
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None  # Linux has it
    work()
    return peak_memory() * 2**20 - int(found[1]) * 2**10


def main() -> None:
    torch.set_num_threads(1)
    os.environ |= RETURNED  # read when a process starts
    sides = settings().experiments[EXPERIMENT].latents
    row = FLOAT * CODEBOOK
    cases = {
        "search of 64x64 codes": Case(search, row * sides[-1] ** 2),
        "policy step, 32x32 + 64x64 codes": Case(policy, row * sum(side**2 for side in sides)),
    }
    rows = []
    for name, case in cases.items():
        for images in (*HERE, FULL):
            peak = counted(case.make, images)
            cells = [f"{name}, {images} images", f"{case.whole * images / 1e9:.2f}"]
            cells.append(f"{peak / 1e9:.3f}")
            if images in HERE:
                here = alone(measured, case.make, images)
                cells += [f"{here / 1e9:.3f}", f"{peak / here - 1:+.1%}"]
            else:
                cells += ["-", "-"]
            rows.append(cells)
    title = f"Peak memory in GB, a codebook of {CODEBOOK:,} entries"
    show(title, ["work", "one (B, N, K) tensor", "counted", "measured", "difference"], rows)


if __name__ == "__main__":
    main()
