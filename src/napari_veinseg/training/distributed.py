"""What processes that train together tell each other; a process alone keeps its own."""

import time
from collections.abc import Iterable
from typing import Annotated, Any

import torch
from torch import distributed

Shared = Annotated[torch.Tensor, "of the same shape in every process"]
Scores = Annotated[dict[str, float], "vein IoU by stem"]

_SECONDS_TO_LET_GO = 0.5


def is_distributed() -> bool:
    """Tell whether other processes train with this one."""
    return distributed.is_available() and distributed.is_initialized()


def sum_over_processes(values: Shared) -> Shared:
    """Sum over all processes, in a way that gradients pass through.

    A loss of such sums is that of the whole batch.  Its gradients, averaged over the processes as
    DDP does, are those of a single process with the whole batch.
    """
    return _AllReduceSum.apply(values) if is_distributed() else values  # type: ignore[no-untyped-call]


class _AllReduceSum(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, values: torch.Tensor) -> torch.Tensor:
        return _all_reduced(values)

    @staticmethod
    def backward(_context: Any, gradient: torch.Tensor) -> torch.Tensor:
        return _all_reduced(gradient)


def _all_reduced(values: torch.Tensor) -> torch.Tensor:
    values = values.detach().clone()
    distributed.all_reduce(values)
    return values


def merge_over_processes(own: Scores | None) -> Scores | None:
    """Put together what the processes have found, the same in each; None if one gave up."""
    if not is_distributed():
        return own
    found: list[dict[str, float] | None] = [None] * distributed.get_world_size()
    distributed.all_gather_object(found, own)
    merged: dict[str, float] = {}
    for part in found:
        if part is None:
            return None
        merged |= part
    return merged


def broadcast_from_first(tensors: Iterable[Shared]) -> None:
    """Give every process the values of the first one, in place."""
    if is_distributed():
        for tensor in tensors:
            distributed.broadcast(tensor, src=0)


def leave_process_group() -> None:
    """Leave the other processes, once all have come here.

    Threads of the connection let go of the last tensors on their own, for which they need Python's
    lock: a process that ends meanwhile is aborted, and one that waits for them waits for ever.
    """
    if is_distributed():
        distributed.barrier()
        time.sleep(_SECONDS_TO_LET_GO)
        distributed.destroy_process_group()
