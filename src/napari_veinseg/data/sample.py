"""One sample of a dataset: an image with its mask, and what can be wrong with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.images import read_image, read_mask
from napari_veinseg.data.labels import VEIN
from napari_veinseg.errors import VeinSegError


@dataclass(frozen=True)
class Sample:
    """An image with its mask.

    Parameters
    ----------
    stem : str
        The name that image and mask share.
    image_path, mask_path : Path
        The files.
    finger : str
        The group whose shots are near duplicates; empty when unknown.
    split : {"", "train", "validation"}
        Where it belongs; empty until the split is drawn.
    reviewed : bool
        Whether somebody has looked at the mask and accepted it.
    source : str
        Where it came from, in free words.
    """

    stem: str
    image_path: Path
    mask_path: Path
    finger: str = ""
    split: str = ""
    reviewed: bool = False
    source: str = ""

    def image(self) -> npt.NDArray[Any]:
        """Read the image as it is stored.

        Returns
        -------
        ndarray
            As `data.images.read_image` gives it.

        Raises
        ------
        VeinSegError
            If it cannot be read, or is a link out of the dataset.
        """
        refuse_link_out(self.image_path, self.image_path.parents[1])
        return read_image(self.image_path)

    def mask(self) -> npt.NDArray[np.uint8]:
        """Read the mask.

        Returns
        -------
        ndarray of uint8
            Shape `(Y, X)`: 0 background, 1 vein, 2 unsure.

        Raises
        ------
        VeinSegError
            If it cannot be read, or is a link out of the dataset.
        """
        refuse_link_out(self.mask_path, self.mask_path.parents[1])
        return read_mask(self.mask_path)


def refuse_link_out(path: Path, folder: Path) -> None:
    """Refuse a link that leads out of a dataset: a stranger's must not reach the user's files.

    Parameters
    ----------
    path : Path
        A file or folder in the dataset; it need not exist.
    folder : Path
        The dataset.

    Raises
    ------
    VeinSegError
        If it leads out.
    """
    if folder.resolve() not in path.resolve().parents:
        raise VeinSegError(f"{path} is a link out of the dataset: copy what it stands for.")


@dataclass(frozen=True)
class Fault:
    """Something in a dataset that cannot be used as it is.

    Parameters
    ----------
    stem : str
        The sample that it concerns.
    message : str
        One sentence: what is wrong and how to mend it.
    """

    stem: str
    message: str


def fault_of(sample: Sample) -> Fault | None:
    """Read a sample and say what is wrong with it.

    Parameters
    ----------
    sample : Sample
        The sample.

    Returns
    -------
    Fault or None
        The first fault found.
    """
    try:
        image, mask = sample.image(), sample.mask()
        if image.ndim - is_colour(image.shape) != 2:
            raise VeinSegError(f"{sample.image_path} is a stack: store its slices one by one.")
        if image.shape[:2] != mask.shape:
            raise VeinSegError(
                f"{sample.stem}: the image is {image.shape[:2]} and the mask {mask.shape}; "
                "redraw or crop one."
            )
        if not (mask == VEIN).any():
            raise VeinSegError(f"{sample.mask_path} shows no vein: draw one or remove the sample.")
    except VeinSegError as error:
        return Fault(sample.stem, str(error))
    return None
