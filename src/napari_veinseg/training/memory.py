"""Learning within the memory of the device: batches in parts, samples kept where they are used."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.segmentation.runtimes.runtime import ran_out_of_memory
from napari_veinseg.training.pool import Prepared

_CACHE_SHARE = 0.25  # of the device's free memory, for samples

Learn = Callable[[slice, float], torch.Tensor]


class Parts:
    """In how many parts a batch is learned; there get more of them when memory runs out.

    The gradients of the parts add up to that of the mean of their losses, so that the effective
    batch and the learning rate stay what they are.

    Parameters
    ----------
    alone : bool
        Whether this process trains alone; processes that train together must all take the same
        parts, so there it only says what to do.
    """

    def __init__(self, alone: bool = True) -> None:
        self.count = 1
        self._alone = alone

    def learn(self, size: int, learn: Learn, restart: Callable[[], None]) -> torch.Tensor:
        """Learn from a batch.

        Parameters
        ----------
        size : int
            Crops in the batch.
        learn : callable
            Adds the gradient of the crops in a slice, times their share of the batch, and returns
            that part of the loss.
        restart : callable
            Sets the gradients to zero; called before each attempt.

        Returns
        -------
        torch.Tensor
            The loss of the batch, without its graph.

        Raises
        ------
        VeinSegError
            If the memory is too small for one crop.
        """
        while True:
            restart()
            try:
                return self._attempt(size, learn)
            except (RuntimeError, MemoryError) as error:
                if not ran_out_of_memory(error):
                    raise
            # Outside the handler, whose traceback would keep the tensors alive.
            self._halve(size)

    def _attempt(self, size: int, learn: Learn) -> torch.Tensor:
        step = -(-size // self.count)
        starts = range(0, size, step)
        losses = [learn(slice(a, a + step), (min(a + step, size) - a) / size) for a in starts]
        return torch.stack(losses).sum()

    def _halve(self, size: int) -> None:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self.count >= size or not self._alone:
            raise VeinSegError(
                f"The memory is too small to learn from {-(-size // self.count)} crops at once: "
                "close other programs, or start a run with a smaller batch_size or crop."
            )
        self.count = min(2 * self.count, size)
        warnings.warn(
            f"The memory is too small for {size} crops at once: going on with "
            f"{-(-size // self.count)} at a time, and the gradients of all.",
            VeinSegWarning,
            stacklevel=3,
        )


def near(samples: Sequence[Prepared], device: torch.device) -> Sequence[Prepared]:
    """Keep samples on the device where they leave enough of its memory to the network.

    Crops are then cut and changed there, and no pixel is transferred while learning.

    Parameters
    ----------
    samples : sequence of Prepared
        The training samples.
    device : torch.device
        Where the network is.

    Returns
    -------
    sequence of Prepared
        The same samples; on the CPU, and where they are too many, the very same objects.
    """
    if device.type != "cuda":
        return samples
    free, _ = torch.cuda.mem_get_info(device)
    if sum(sample.maps.nbytes for sample in samples) > _CACHE_SHARE * free:
        return samples
    return [replace(sample, maps=sample.maps.to(device)) for sample in samples]
