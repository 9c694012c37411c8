"""The network's work on a GPU as one CUDA graph, launched as a whole.

A processor takes longer to launch the some five hundred kernels of a step one by one than a GPU
takes to compute them for a batch of small crops.
"""

import warnings
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import nn


def launch_together(
    network: nn.Module, image: torch.Tensor, arithmetic: AbstractContextManager[Any]
) -> None:
    """Record a pass forward and back, and play that for every batch of this shape from now on.

    Where it cannot be recorded (no memory for it, a network that asks the GPU between its layers)
    all stays as it is.  A batch of another shape means that there is no memory for whole batches
    any more: then the recording is given up, with the memory that it holds.

    Parameters
    ----------
    network : nn.Module
        On a CUDA device, in training mode; neither its weights nor its statistics are changed.
    image : torch.Tensor
        A batch, `(N, C, Y, X)`.
    arithmetic : context manager
        What the network computes in.
    """
    # Gradients come from the stream of the recording; that autograd waits for it is right.
    warnings.filterwarnings("ignore", "The AccumulateGrad node's stream does not match")
    statistics = [buffer.clone() for buffer in network.buffers()]
    single = network.forward
    try:
        with arithmetic:
            torch.set_autocast_cache_enabled(False)  # what is cached would not be recorded
            torch.cuda.make_graphed_callables(network, (image.clone(),))
    except RuntimeError:
        return
    finally:
        torch.set_autocast_cache_enabled(True)
        with torch.no_grad():
            for buffer, before in zip(network.buffers(), statistics, strict=True):
                buffer.copy_(before)
    played = network.forward

    def forward(batch: torch.Tensor) -> torch.Tensor:
        if batch.shape == image.shape:
            answer: torch.Tensor = played(batch)
            return answer
        network.forward = single
        return single(batch)  # type: ignore[no-any-return]

    network.forward = forward
