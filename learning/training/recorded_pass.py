"""A pass as a CUDA graph: rehearsed, recorded once for a shape of batch, and replayed."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Protocol, Self, TypeVar

import torch

from learning.models.device import side_stream


class Batch(Protocol):
    """The input of a pass."""

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """All tensors, always in the same order."""
        ...

    def clone(self) -> Self:
        """The same values in other memory."""
        ...


OwnBatch = TypeVar("OwnBatch", bound=Batch)


def rehearse(compute: Callable[[], object]) -> None:
    """Compute a pass twice before it is recorded: libraries initialise for each shape, which cannot be recorded.

    The second time, nothing may wait for the GPU. A recording that waits fails, and after it nothing can be computed:
    torch leaves its allocator and its generators as during a recording (`CUDAGraph::capture_end`).

    Raises:
        RuntimeError: The pass waits for the GPU, cannot be computed, or memory ran out.
    """
    stream = side_stream()
    stream.wait_stream(torch.cuda.current_stream())
    try:
        with torch.cuda.stream(stream):
            compute()
            with _no_waiting():
                compute()
    finally:
        torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    torch.cuda.empty_cache()


@contextmanager
def _no_waiting() -> Iterator[None]:
    """Let whatever waits for the GPU in the block raise a RuntimeError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that the mode is a prototype
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


class RecordedPass(Generic[OwnBatch]):
    """A pass for one shape of batch as a CUDA graph, over tensors at fixed addresses."""

    def __init__(
        self,
        compute: Callable[[OwnBatch], torch.Tensor],
        batch: OwnBatch,
        generators: Sequence[torch.Generator],
        pool: Any,
    ) -> None:
        """Record a rehearsed pass.

        Args:
            compute: Computes the pass.
            batch: A batch of the shape.
            generators: What the pass draws with.
            pool: The memory of other graphs, if they are never in use together with this one.
        """
        self._batch = batch.clone()
        self.graph = torch.cuda.CUDAGraph()
        for generator in generators:
            self.graph.register_generator_state(generator)
        with torch.cuda.graph(self.graph, pool=pool, capture_error_mode="thread_local"):
            self._result = compute(self._batch)

    def run(self, batch: OwnBatch) -> torch.Tensor:
        """The result for a batch of the shape."""
        for recorded, current in zip(self._batch.tensors(), batch.tensors(), strict=True):
            recorded.copy_(current)
        self.graph.replay()
        return self._result.clone()
