"""What computes the network for the tiles, and what to do when its memory is too small.

The answers are always gathered in the memory of the computer, never on the device.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.errors import VeinSegWarning
from napari_veinseg.model.receptive_field import Geometry

Image = NDArray[np.float32]

_NO_ROOM = (  # as CUDA, torch on Linux and on Windows, C++, cuDNN and MPS say it
    "out of memory",
    "allocate memory",
    "not enough memory",
    "bad_alloc",
    "bad allocation",
    "alloc_failed",
    "invalid buffer size",
)


class OutOfMemory(Exception):  # noqa: N818  (a state, which the caller acts upon)
    """The device has no room for a batch of this size."""


class Runtime(ABC):
    """A network made ready to predict."""

    def __init__(self, geometry: Geometry, place: str) -> None:
        self.geometry = geometry
        self.place = place
        self.limit = float("inf")
        """Pixels that may go through the network together; lowered when memory runs out."""
        self._told: set[str] = set()

    def __call__(self, images: Image) -> Image:
        """Return the vein probability, in [0, 1], of normalised images `(N, Y, X)`.

        Their sides are multiples of the total stride.

        Raise OutOfMemory when the device has no room; `limit` is then half of what was tried.
        """
        try:
            return self._forward(images)
        except Exception as error:  # those of ONNX Runtime are no RuntimeError
            if not ran_out_of_memory(error):
                raise
        # Outside the handler, whose traceback would keep the tensors alive.
        self._release()
        self.limit = images.size / 2
        self._tell("with fewer images at once" if len(images) > 1 else "in smaller tiles")
        raise OutOfMemory

    @contextmanager
    def lanes(self, most: int) -> Iterator[Executor | None]:
        """Open threads for up to `most` images side by side, each on its share of the cores.

        On a CPU that does more small images a second than when all cores share each of them; there
        are none where one at a time is best.
        """
        threads = self._threads
        count = min(most, threads)
        if count < 2:
            yield None
            return
        try:
            with ThreadPoolExecutor(
                count, "veinseg-segment", self._use_threads, (threads // count,)
            ) as pool:
                yield pool
        finally:
            self._use_threads(threads)  # also for threads that begin from now on

    @property
    def _threads(self) -> int:
        """How many threads compute an image; 1 where it is not the CPU that computes."""
        return 1

    def _use_threads(self, count: int) -> None:  # noqa: B027  (some share theirs by themselves)
        """Let the calling thread compute with so many."""

    def move_to_cpu(self) -> bool:
        """Go on without the device that has no memory left, and tell whether that is possible."""
        return False

    @abstractmethod
    def _forward(self, images: Image) -> Image:
        """Compute, or raise what the device raises."""

    def _release(self) -> None:  # noqa: B027  (most hold nothing)
        """Give back memory that the device holds in reserve."""

    def _tell(self, step: str) -> None:
        """Say once that a step of the ladder was taken."""
        if step not in self._told:
            self._told.add(step)
            message = f"The memory of {self.place} is too small: going on {step}."
            warnings.warn(message, VeinSegWarning, stacklevel=3)


def ran_out_of_memory(error: Exception) -> bool:
    """Tell whether an error means that the memory is too small.

    CUDA and Python have a class of their own for it, other runtimes only say so.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    said = str(error).lower()
    return any(words in said for words in _NO_ROOM)
