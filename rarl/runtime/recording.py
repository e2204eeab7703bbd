"""Kernels that are recorded once and then started together: a CUDA graph."""

from collections.abc import Callable

import torch
from torch import Tensor


class Recording:
    """A function of tensors that is called again and again with the same shapes.

    On a GPU the first call runs it, the second records its kernels, and that and all later calls
    replay them, at a fraction of what it costs to start each (small kernels run for less than
    that). The function may keep state in tensors that it changes in place, waits for nothing on the
    GPU, and depends on no number that Python changes between calls. On the CPU every call runs it.
    """

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self._function = function
        self._warm = False
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._output: Tensor | None = None

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The function's output; on a GPU the next call overwrites it."""
        if not inputs[0].is_cuda:
            return self._function(*inputs)
        if not self._warm:  # libraries load kernels and take workspace, which cannot be recorded
            self._warm = True
            return self._beside(inputs)
        if self._graph is None:
            self._record(inputs)
        for own, given in zip(self._inputs, inputs, strict=True):
            own.copy_(given)
        assert self._graph is not None
        assert self._output is not None
        self._graph.replay()
        return self._output

    def _beside(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Runs on another stream, as a recording will."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            output = self._function(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return output

    def _record(self, inputs: tuple[Tensor, ...]) -> None:
        """Changes no state: recorded kernels do not run."""
        self._inputs = [given.clone() for given in inputs]
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._output = self._function(*self._inputs)
