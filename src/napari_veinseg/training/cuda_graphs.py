"""The network's work on a GPU as one CUDA graph, launched as a whole.

A processor takes longer to launch the some five hundred kernels of a step one by one than a GPU
takes to compute them for a batch of small crops.
"""

import gc
import warnings
from contextlib import AbstractContextManager
from typing import Annotated, Any

import torch
from torch import nn


def record_cuda_graph(
    network: nn.Module,
    image: Annotated[torch.Tensor, "`(N, C, Y, X)`"],
    arithmetic: AbstractContextManager[Any],
) -> None:
    """Record a pass forward and back, and play that for every batch of this shape from now on.

    The network is on a CUDA device, in training mode; neither its weights nor its statistics are
    changed.  Where it cannot be recorded (no memory for it, a network that asks the GPU between
    its layers) all stays as it is.  A batch of another shape means that there is no memory for
    whole batches any more: then the recording is given up, with the memory that it holds.  No
    other thread may speak to the GPU meanwhile.
    """
    # Gradients come from the stream of the recording; that autograd waits for it is right.
    warnings.filterwarnings("ignore", "The AccumulateGrad node's stream does not match")
    shape, single, stream = image.shape, network.forward, torch.cuda.current_stream()
    statistics = [buffer.clone() for buffer in network.buffers()]
    try:
        with arithmetic:
            torch.set_autocast_cache_enabled(False)  # what is cached would not be recorded
            torch.cuda.make_graphed_callables(network, (image,))
    except RuntimeError:
        # One that fails also leaves the source of chance as if it went on; a copy forgets that.
        chance = torch.cuda.default_generators[image.get_device()]
        chance.graphsafe_set_state(chance.clone_state())
        return
    finally:
        torch.cuda.set_stream(stream)  # a recording that fails leaves its own
        torch.set_autocast_cache_enabled(True)
        with torch.no_grad():
            for buffer, before in zip(network.buffers(), statistics, strict=True):
                buffer.copy_(before)
    played: Any = network.forward

    def forward(batch: torch.Tensor) -> Any:
        nonlocal played
        if batch.shape == shape:
            return played(batch)
        network.forward, played = single, None
        gc.collect()  # what is recorded refers to itself
        torch.cuda.empty_cache()
        return single(batch)

    network.forward = forward
