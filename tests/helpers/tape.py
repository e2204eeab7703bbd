"""A CUDA graph for tests on the CPU: a tape of operations and of the tensors that they read."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WAITS = {"_local_scalar_dense", "nonzero", "item"}  # for numbers that a GPU has not computed yet


class Tape(TorchDispatchMode):
    """Notes every operation that runs within; `replay` runs them again, on the same tensors.

    As a GPU, it knows no Python: a tensor that was replaced, and a number that changed, stay as
    they were; and what an operation makes lies where it lay before.
    """

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[tuple[OpOverload, tuple[Any, ...], dict[str, Any], object]] = []

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Called by torch for every operation, in the place of it."""
        assert func.overloadpacket.__name__ not in WAITS, f"{func} cannot be recorded"
        result = func(*args, **(kwargs or {}))
        self._steps.append((func, args, kwargs or {}, result))
        return result

    def replay(self) -> None:
        with torch.autocast("cpu", enabled=False):  # what it did is among the operations
            for func, args, kwargs, made in self._steps:
                again = func(*args, **kwargs)
                for old, new in zip(tree_leaves(made), tree_leaves(again), strict=True):
                    if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


class TapedGraph:
    """In the place of `rarl.runtime.cuda_graph.CudaGraph`; `made` counts recordings."""

    made = 0
    replays = 0

    def __init__(self) -> None:
        self._warm = False
        self._tape: Tape | None = None
        self._inputs: list[Tensor] = []
        self._output: Tensor | None = None

    def __call__(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        if not self._warm:
            self._warm = True
            return function(*inputs)
        if self._tape is None:
            type(self).made += 1
            self._inputs = [given.clone() for given in inputs]
            state = {id(t): (t, t.clone()) for t in _tensors_of(function)}
            with Tape() as self._tape:
                self._output = function(*self._inputs)
            for tensor, before in state.values():  # recorded kernels do not run
                tensor.copy_(before)
        for own, given in zip(self._inputs, inputs, strict=True):
            own.copy_(given)
        type(self).replays += 1
        self._tape.replay()
        assert self._output is not None
        return self._output


def _tensors_of(method: Callable[..., Tensor]) -> list[Tensor]:
    """The tensors that the object of a method holds."""
    owner = method.__self__  # type: ignore[attr-defined]
    return [leaf for leaf in tree_leaves(list(vars(owner).values())) if isinstance(leaf, Tensor)]
