"""Learning within the memory of the device: batches in parts, samples kept where they are used."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated

import torch

from napari_veinseg.data.array_types import Share
from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.segmentation.runtimes.runtime import ran_out_of_memory
from napari_veinseg.training.prepared_samples import PreparedSample

_CACHE_SHARE = 0.25  # of the device's free memory, for samples

Loss = Annotated[torch.Tensor, "a scalar without its graph"]
Backward = Callable[[slice, Share], Loss]


class GradientAccumulation:
    """Learns a batch in parts, in more of them when memory runs out.

    The gradients of the parts add up to that of the mean of their losses, so that the effective
    batch and the learning rate stay what they are.
    """

    def __init__(self, alone: bool = True) -> None:
        self.parts = 1
        self._alone = alone

    def run(self, size: int, backward: Backward, zero_gradients: Callable[[], None]) -> Loss:
        """Add up the gradients of a batch of crops, and give its loss.

        `backward` adds the gradient of the crops in a slice, times their share of the batch, and
        returns that part of the loss.  Gradients are zeroed before each attempt.
        """
        while True:
            zero_gradients()
            try:
                return self._attempt(size, backward)
            except (RuntimeError, MemoryError) as error:
                if not ran_out_of_memory(error):
                    raise
            # Outside the handler, whose traceback would keep the tensors alive.
            self._halve(size)

    def _attempt(self, size: int, backward: Backward) -> torch.Tensor:
        step = -(-size // self.parts)
        starts = range(0, size, step)
        losses = [backward(slice(a, a + step), (min(a + step, size) - a) / size) for a in starts]
        return torch.stack(losses).sum()

    def _halve(self, size: int) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self.parts >= size or not self._alone:
            raise VeinSegError(
                f"The memory is too small to learn from {-(-size // self.parts)} crops at once: "
                "close other programs, or start a run with a smaller batch_size or crop."
            )
        self.parts = min(2 * self.parts, size)
        warnings.warn(
            f"The memory is too small for {size} crops at once: going on with "
            f"{-(-size // self.parts)} at a time, and the gradients of all.",
            VeinSegWarning,
            stacklevel=3,
        )


def cache_on_device(
    samples: Sequence[PreparedSample], device: torch.device
) -> Sequence[PreparedSample]:
    """Keep samples on the device where they leave enough of its memory to the network.

    Crops are then cut and changed there, and no pixel is transferred while learning.  On the CPU,
    and where they are too many, they stay what they are.
    """
    if device.type != "cuda":
        return samples
    free, _ = torch.cuda.mem_get_info(device)
    if sum(sample.maps.nbytes for sample in samples) > _CACHE_SHARE * free:
        return samples
    return [replace(sample, maps=sample.maps.to(device)) for sample in samples]
