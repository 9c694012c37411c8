"""Masks on disk: what is surely none is refused, what may be another thing is told.

Programs that number what they find write a label image, in which each connected piece has a number
of its own, where a mask says vein or unsure.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from skimage.measure import label

from napari_veinseg.data.array_types import AnyImage, MaskStack
from napari_veinseg.data.decoders import StoredImage
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.image_files import read_stored, write_image
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.errors import VeinSegError

MASK_MARK = "napari-veinseg mask: 0 background, 1 vein, 2 unsure"
"""What a mask of ours says of itself, where files name the software that wrote them."""


class DrawnMask(NamedTuple):
    """A mask that somebody, or some program, drew."""

    mask: MaskStack
    numbered: bool
    """Whether 2 may be the number of a second piece instead of unsure."""


def read_mask(path: str | Path) -> MaskStack:
    """Read a mask.

    Parameters
    ----------
    path : str or Path
        An image whose values are 0 and 1, 0 and 255, 0 and 65535, or booleans (background, vein),
        or 0, 1 and 2 with 2 for unsure; grey, colour with equal channels, or one colour on black.
        Of a palette in colour (as of Pascal VOC) the numbers count, with 255 for unsure.

    Raises
    ------
    VeinSegError
        If the file cannot be read or holds other values.
    """
    path = Path(path)
    return as_mask(path, read_stored(path))


def as_mask(path: Path, stored: StoredImage) -> MaskStack:
    """Take what was read from a file as a mask, see `read_mask`."""
    if stored.palette is not None and not _is_grey(stored.image()):
        values = stored.values
        if np.isin(values, (0, 1, 2, 255)).all():
            return np.minimum(values, UNSURE).astype(np.uint8)
    # ImageJ's inverting look-up table changes what is shown, not which value is foreground.
    kept = stored.black is not None and stored.values.dtype != bool
    values = stored.values if kept else stored.image()
    if is_colour(values.shape):
        values = values[..., 0] if _is_grey(values) else _in_one_colour(path, values)
    # `isin` instead of `unique`: no sort of millions of pixels.
    if np.isin(values, (0, 1, 2)).all():
        return values.astype(np.uint8)
    if np.isin(values, (0, 255)).all() or np.isin(values, (0, 65535)).all():
        return np.not_equal(values, 0).astype(np.uint8)
    pieces = numbered_pieces(values)
    if pieces:
        raise VeinSegError(
            f"{path} is not a mask: it numbers its {pieces} pieces: make all that is vein 1."
        )
    raise VeinSegError(
        f"{path} is not a mask: it holds values other than 0 and 1 (or 0 and 255), 2 for unsure."
    )


def read_drawn_mask(path: Path) -> DrawnMask:
    """Read a mask, see `read_mask`, and judge what its labels mean.

    What `write_mask` wrote means what it says.

    Raise VeinSegError if it cannot be read, or its labels count from 1.
    """
    stored = read_stored(path)
    mask = as_mask(path, stored)
    if stored.software == MASK_MARK or not (mask == UNSURE).any() or not (mask == VEIN).any():
        return DrawnMask(mask, False)
    if mask.all():  # it would be read as all vein
        raise VeinSegError(
            f"{path} holds 1 and 2 but no 0, as programs write that count from 1 (ilastik): "
            "subtract 1, so that background is 0 and vein 1."
        )
    return DrawnMask(mask, bool(numbered_pieces(mask)))


def numbered_remark(masks: str) -> str:
    """Tell of masks, one or several that are named, whose 2 may not mean unsure."""
    return (
        f"In {masks} one piece is 1 and one is 2, as programs write it that number the pieces: 2 "
        "is read as unsure, which counts for nothing; where it is a vein, make it 1."
    )


def write_mask(path: str | Path, mask: MaskStack) -> None:
    """Write a mask, whole or not at all, as `.tif` or `.png`; its folder must exist.

    Values may be booleans; a stack goes into a tif alone.

    Raise VeinSegError if the values or the shape do not fit, or the file cannot be written.
    """
    mask = np.asarray(mask)
    with np.errstate(invalid="ignore"):  # what is no number differs from what it becomes
        labels = mask.astype(np.uint8)
    if np.any(labels != mask) or labels.max(initial=0) > UNSURE:
        raise VeinSegError(f"{path} was not written: a mask holds 0, 1 and 2 only.")
    write_image(path, labels, MASK_MARK)


def numbered_pieces(values: AnyImage) -> int:
    """Count the pieces of a label image, 0 where it is none.

    Programs that number what they find give each connected piece the next number: the values are
    0 (somewhere), 1, 2 and so on, two or more, each in one piece that touches no other.
    """
    if values.dtype.kind not in "ui" or values.min(initial=0) < 0 or _some_touch(values):
        return 0
    numbers = np.unique(values)
    count = len(numbers) - 1
    if count < 2 or not np.array_equal(numbers, np.arange(count + 1)):
        return 0
    pieces = label(values, background=0, connectivity=values.ndim)
    return count if pieces.max() == count else 0


def _some_touch(values: AnyImage) -> bool:
    """Whether pieces of different values share an edge of pixels, as in every photograph."""
    for axis in range(values.ndim):
        lines = np.moveaxis(values, axis, 0)
        one, next_one = lines[:-1], lines[1:]
        if ((one != next_one) & (one != 0) & (next_one != 0)).any():
            return True
    return False


def _in_one_colour(path: Path, image: AnyImage) -> MaskStack:
    """Read what is drawn on black in one colour, as CVAT and others write a class."""
    colours = image[..., :3]
    drawn = colours.any(-1)
    if drawn.all() or (colours[drawn] != colours[drawn][0]).any():
        raise VeinSegError(
            f"{path} is in colour: a mask holds 0 and 1 (or 255), 2 for unsure, or one "
            "colour on black."
        )
    return np.asarray(drawn, np.uint8)


def _is_grey(image: AnyImage) -> bool:
    return not (image[..., 1:3] != image[..., :1]).any()
