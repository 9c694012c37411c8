"""How far the work on each image of a folder is."""

from collections.abc import Callable
from enum import StrEnum


class ImageState(StrEnum):
    """How far the work on an image is."""

    NEW = "new"
    SEGMENTED = "segmented"
    EDITED = "edited"
    REVIEWED = "reviewed"
    FAULTY = "faulty"


class ImageStates:
    """The states of a folder's images, by their places in it, as `state_of` gives them by name."""

    def __init__(self, stems: list[str], state_of: Callable[[str], ImageState]) -> None:
        self._stems, self._state_of = stems, state_of
        self.faults: dict[int, str] = {}

    def of(self, index: int) -> ImageState:
        """Say how far the work on an image is."""
        return ImageState.FAULTY if index in self.faults else self._state_of(self._stems[index])

    def count(self, state: ImageState) -> int:
        """Count the images in a state."""
        return sum(self.of(index) is state for index in range(len(self._stems)))

    def next_unreviewed(self, after: int) -> int | None:
        """Find the next image after one that somebody must look at, beginning anew at the end."""
        done = (ImageState.REVIEWED, ImageState.FAULTY)
        order = [*range(after + 1, len(self._stems)), *range(after)]
        return next((index for index in order if self.of(index) not in done), None)
