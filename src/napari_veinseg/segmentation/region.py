"""A region of interest: the part of an image in which veins are looked for."""

import math
from dataclasses import dataclass

import numpy as np

from napari_veinseg.data.array_types import Binary
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.receptive_field import SMALLEST_SIDE

Window = tuple[slice, slice]


def _no_region(text: str) -> VeinSegError:
    return VeinSegError(
        f"The region {text!r} is none: give x0,y0,x1,y1 of a rectangle, or x,y of three and more "
        "corners, in px."
    )


@dataclass(frozen=True)
class Region:
    """A rectangle or a polygon, the same in every slice of a stack.

    Grey values are normalised, and the vein width estimated, in the smallest rectangle around it;
    outside of it nothing is vein.

    Raise VeinSegError if there are fewer than two corners, or one is not finite.
    """

    corners: tuple[tuple[float, float], ...]
    """`(x, y)` in px from the top left: two opposite corners of a rectangle (without the row and
    column of the greater ones, as in slices), or three and more of a polygon, which holds the
    pixels whose centres, at whole numbers, lie in it."""

    def __post_init__(self) -> None:
        if len(self.corners) < 2 or not all(map(math.isfinite, sum(self.corners, ()))):
            raise _no_region(str(self))

    @classmethod
    def parse(cls, text: str) -> "Region":
        """Read `x0,y0,x1,y1` of a rectangle, or `x,y` of each corner of a polygon after another."""
        try:
            numbers = [float(part) for part in text.split(",")]
        except ValueError:
            numbers = []
        if len(numbers) < 4 or len(numbers) % 2:
            raise _no_region(text)
        return cls(tuple(zip(numbers[::2], numbers[1::2], strict=True)))

    def __str__(self) -> str:
        return ",".join(f"{number:g}" for corner in self.corners for number in corner)

    def window(self, shape: tuple[int, ...]) -> Window:
        """Return the smallest rectangle around the region within an image.

        Raise VeinSegError if less than 8 x 8 px of it lie in the image.
        """
        end = 0 if len(self.corners) == 2 else 1  # the last pixel of a polygon belongs to it
        columns, rows = (
            slice(max(0, math.ceil(min(places))), min(side, math.ceil(max(places)) + end))
            for places, side in zip(zip(*self.corners, strict=True), shape[:-3:-1], strict=True)
        )
        if min(rows.stop - rows.start, columns.stop - columns.start) < SMALLEST_SIDE:
            raise VeinSegError(
                f"The region {self} leaves less than {SMALLEST_SIDE} x {SMALLEST_SIDE} px of the "
                f"image of {shape[-1]} x {shape[-2]} px (x, y): give a larger one."
            )
        return rows, columns

    def inside(self, rows: slice, columns: slice) -> Binary:
        """Tell which pixels of a part of the image belong to the region."""
        shape = rows.stop - rows.start, columns.stop - columns.start
        if len(self.corners) == 2:
            return np.ones(shape, bool)
        from skimage.draw import polygon2mask

        corners = np.array([(y - rows.start, x - columns.start) for x, y in self.corners])
        return polygon2mask(shape, corners)
