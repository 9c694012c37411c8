"""The files of one sample, written together."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import ImageArray, Mask
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.labels import BACKGROUND, UNSURE, VEIN
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.samples_csv import is_stem
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path


def refuse_unsound(stem: str, image: ImageArray, mask: Mask) -> None:
    """Refuse what cannot become a sample.

    Raise VeinSegError if the name is no plain one, the sizes differ, it is a stack, or there are
    other labels.
    """
    if not is_stem(stem):
        raise VeinSegError(f"{stem!r} cannot be the name of a sample: use a plain file name.")
    if image.shape[:2] != mask.shape:
        raise VeinSegError(
            f"{stem}: the image is {image.shape[:2]} and the mask {mask.shape}; "
            "give both the same size."
        )
    if image.ndim - is_colour(image.shape) != 2:
        raise VeinSegError(f"{stem} is a stack: store its slices one by one.")
    foreign = np.setdiff1d(mask, (BACKGROUND, VEIN, UNSURE))
    if foreign.size:
        raise VeinSegError(
            f"{stem}: the mask holds the label {foreign[0]}, but a vein mask holds 1 (vein), 2 "
            "(unsure) and 0 only: relabel or erase it."
        )


def store_sample(
    dataset: Path,
    stem: str,
    image: ImageArray,
    mask: Mask,
    old_images: Sequence[Path],
    old_masks: Sequence[Path],
    stored_image: ImageArray | None,
) -> None:
    """Write an image and its mask into the folders of a dataset, in place of older files.

    An image that is stored already with the same pixels keeps its file; pass what the old one holds
    where it has been read already.

    Raise VeinSegError if a file cannot be written; the old ones are as they were.
    """
    new_image, new_mask = (dataset / room / f"{stem}.tif" for room in ("images", "masks"))
    if stored_image is None and len(old_images) == 1:
        with suppress(VeinSegError):
            stored_image = read_image(old_images[0])
    if len(old_images) == 1 and _is_same(stored_image, image):
        new_image = old_images[0]
        write_mask(new_mask, mask)
    else:
        # Both are written in full before either takes its place.
        with atomic_path(new_image) as whole_image, atomic_path(new_mask) as whole_mask:
            try:
                write_image(whole_image, image)
                write_mask(whole_mask, mask)
            except VeinSegError as error:  # it names a file that the user will never see
                sentence = str(error).replace(str(whole_image), str(new_image))
                raise VeinSegError(sentence.replace(str(whole_mask), str(new_mask))) from error
    for old in (*old_images, *old_masks):
        if not any(_same_file(old, new) for new in (new_image, new_mask)):
            old.unlink(missing_ok=True)


def _same_file(old: Path, new: Path) -> bool:
    """Whether two names are one file, as `a.TIF` and `a.tif` are on Windows and macOS."""
    if old == new:
        return True
    with suppress(OSError):
        # A link is another file than the one that it stands for.
        return not old.is_symlink() and old.samefile(new)
    return False


def _is_same(stored: npt.NDArray[Any] | None, image: npt.NDArray[Any]) -> bool:
    return (
        stored is not None
        and stored.dtype == image.dtype
        and np.array_equal(stored, image, equal_nan=True)
    )
