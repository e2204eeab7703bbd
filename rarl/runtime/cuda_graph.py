"""Kernels that are recorded once and then started together: a CUDA graph."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor


class CudaGraph:
    """Of a function of tensors that is called again and again with the same shapes.

    On a GPU the first call runs it, the second records its kernels, and that and all later calls
    replay them, at a fraction of what it costs to start each (small kernels run for less than
    that). The function may keep state in tensors that it changes in place, waits for nothing on the
    GPU, and depends on no number that Python changes between calls. On the CPU every call runs it.
    """

    def __init__(self) -> None:
        self._warm = False
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._output: Tensor | None = None

    def __call__(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """The output of the function, the same at every call; on a GPU the next overwrites it.

        It is not kept: a method's owner, which holds this, would hold itself.
        """
        if not inputs[0].is_cuda:
            return function(*inputs)
        if not self._warm:  # libraries load kernels and take workspace, which cannot be recorded
            self._warm = True
            return self._beside(function, inputs)
        if self._graph is None:
            self._record(function, inputs)
        for own, given in zip(self._inputs, inputs, strict=True):
            own.copy_(given)
        assert self._graph is not None
        assert self._output is not None
        self._graph.replay()
        return self._output

    def _beside(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
        """Runs on the stream on which it will be recorded."""
        stream = _side_stream(inputs[0].device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            output = function(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        return output

    def _record(self, function: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> None:
        """Changes no state: recorded kernels do not run."""
        own, graph = [given.clone() for given in inputs], torch.cuda.CUDAGraph()
        # By default a call of another thread would end it: NCCL's, for one, asks for events.
        mode, stream = "thread_local", _side_stream(inputs[0].device)
        with torch.cuda.graph(graph, stream=stream, capture_error_mode=mode):
            output = function(*own)
        self._graph, self._inputs, self._output = graph, own, output


def usable(on: torch.device) -> bool:
    """Whether there is something to record on: a GPU."""
    return on.type == "cuda"


@cache
def _side_stream(on: torch.device) -> torch.cuda.Stream:
    """One for all recordings: libraries keep a workspace for every stream that they have seen."""
    return torch.cuda.Stream(on)
