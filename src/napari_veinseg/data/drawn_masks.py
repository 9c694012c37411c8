"""Masks that may come from any program: what is surely wrong is refused, what may be is told."""

from pathlib import Path
from typing import NamedTuple

from napari_veinseg.data.array_types import MaskStack
from napari_veinseg.data.image_files import MASK_MARK, as_mask, read_stored
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.data.numbered_pieces import numbered_pieces
from napari_veinseg.errors import VeinSegError


class DrawnMask(NamedTuple):
    """A mask that somebody, or some program, drew."""

    mask: MaskStack
    numbered: bool
    """Whether 2 may be the number of a second piece instead of unsure."""


def read_drawn_mask(path: Path) -> DrawnMask:
    """Read a mask, see `image_files.read_mask`, and judge what its labels mean.

    What `image_files.write_mask` wrote means what it says.

    Raises
    ------
    VeinSegError
        If it cannot be read, or its labels count from 1.
    """
    stored = read_stored(path)
    mask = as_mask(path, stored)
    if not (mask == UNSURE).any() or not (mask == VEIN).any():
        return DrawnMask(mask, False)
    if mask.all():  # it would be read as all vein
        raise VeinSegError(
            f"{path} holds 1 and 2 but no 0, as programs write that count from 1 (ilastik): "
            "subtract 1, so that background is 0 and vein 1."
        )
    return DrawnMask(mask, stored.software != MASK_MARK and bool(numbered_pieces(mask)))


def numbered_remark(what: str) -> str:
    """Tell of masks, named as the beginning of a sentence, whose 2 may not mean unsure."""
    return (
        f"{what} holds one piece of 1 and one of 2, as programs write it that number the pieces: "
        "2 is read as unsure, which counts for nothing; where it is a vein, make it 1."
    )
