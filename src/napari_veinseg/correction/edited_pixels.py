"""Which pixels of a mask belong to the user: painted or accepted, and not to be changed again.

Undo is what makes this more than a boolean array: a stroke that is undone must hand its pixels
back to the model, and a stroke that is redone must take them again.  So recent strokes are kept
as they came, and only those that have left the undo history are merged into one array.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

BoolArray = Annotated[npt.NDArray[np.bool_], "of the mask's shape, `(Y, X)` or `(N, Y, X)`"]


@dataclass(frozen=True)
class Pixels:
    """Some pixels of a mask, as the smallest description that NumPy can index with."""

    index: tuple[Any, ...]
    """A NumPy index of the whole mask: arrays of positions, or slices."""
    within: BoolArray | None = None
    """Where `index` is slices: the pixels within them; None means all."""

    def fill(self, array: BoolArray) -> None:
        """Set these pixels of an array, in place."""
        if self.within is None:
            array[self.index] = True
        else:
            array[self.index][self.within] = True


@dataclass
class _Step:
    key: object
    pixels: Pixels
    undone: bool = False


class EditTracker:
    """The edited pixels of one mask.

    Nothing of the mask's size is compared or copied when the user paints; a stroke costs its
    own pixels.  The array of all edited pixels is built when it is asked for, and kept until
    something changes.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._settled: BoolArray = np.zeros(shape, dtype=bool)
        self._steps: list[_Step] = []
        self._edited: BoolArray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The mask's shape."""
        return self._settled.shape

    def record(self, key: object, pixels: Pixels) -> None:
        """Remember one change that the user made and can still undo.

        `key` stands for it in the undo history, and is recognised by identity.
        """
        self._steps.append(_Step(key, pixels))
        self._edited = None

    def accept(self, pixels: Pixels | BoolArray) -> None:
        """Make pixels the user's whatever is undone later."""
        if not isinstance(pixels, Pixels):
            pixels = Pixels((pixels,))
        pixels.fill(self._settled)
        self._edited = None

    def follow(self, done: Iterable[object], undone: Iterable[object]) -> None:
        """Bring the recorded changes up to date with the keys that stand in the undo history.

        A change that is in neither list has left the history: it stays if it was done when last
        seen, and is forgotten if it was undone.
        """
        done_ids = {id(key) for key in done}
        undone_ids = {id(key) for key in undone}
        kept = []
        for step in self._steps:
            is_undone = id(step.key) in undone_ids
            if is_undone or id(step.key) in done_ids:
                if step.undone != is_undone:
                    self._edited = None
                step.undone = is_undone
                kept.append(step)
            elif not step.undone:
                step.pixels.fill(self._settled)
        self._steps = kept

    @property
    def edited(self) -> BoolArray:
        """The edited pixels, of the mask's shape; read only."""
        if self._edited is None:
            edited = self._settled.copy()
            for step in self._steps:
                if not step.undone:
                    step.pixels.fill(edited)
            edited.flags.writeable = False
            self._edited = edited
        return self._edited
