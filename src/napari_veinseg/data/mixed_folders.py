"""Folders that hold images and their masks side by side: `x.png` and `x_mask.png`."""

from collections.abc import Sequence
from pathlib import Path

from napari_veinseg.data.image_files import list_images, without_probabilities
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.data.pairing import image_names, stem_of
from napari_veinseg.errors import VeinSegError
from napari_veinseg.wording import counted, listed

_LOOKED_AT = 3  # of the pairs: a large folder is not read for this


def masks_beside(images: Sequence[Path]) -> list[Path]:
    """Find the masks among the files of a folder: `x_mask.png` is one where `x.png` is none.

    Names alone prove nothing, so the first few pairs are read.
    """
    owners = {stem_of(path).lower(): path for path in images}
    pairs = [
        (owners[name], path)
        for path in images
        for name in image_names(stem_of(path).lower())
        if name in owners
    ]
    if all(_is_mask(mask) and not _is_mask(image) for image, mask in pairs[:_LOOKED_AT]):
        return [mask for _, mask in pairs]
    return []


def list_masks(folder: str | Path) -> list[Path]:
    """List the masks of a folder, without the probabilities and the images beside them."""
    found = without_probabilities(list_images(folder))
    return masks_beside(found) or found


def mixed_remark(folder: Path, masks: Sequence[Path]) -> str:
    """Say that masks lie among the images of a folder, and what to do; empty where none does."""
    if not masks:
        return ""
    lie = counted(len(masks), "mask lies", "masks lie")
    named = listed([mask.name for mask in masks])
    return (
        f"{lie} among the images of {folder} ({named}), left out here: to correct masks, "
        "train or evaluate, move the images into a folder 'images' and the masks into a folder "
        "'masks' beside it."
    )


def _is_mask(path: Path) -> bool:
    try:
        return read_mask(path).size > 0
    except VeinSegError:
        return False
