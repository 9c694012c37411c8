"""One sample of a dataset: its files, and the one way to read them as a pair of image and mask."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import AnyImage, ImageArray, Mask
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.image_files import image_hash, read_image
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.data.mask_files import DrawnMask, numbered_remark, read_drawn_mask, read_mask
from napari_veinseg.errors import VeinSegError

MOST_VEIN = 0.5
"""Of the known pixels; drawn masks have a tenth or two, and inverted ones more than this."""


@dataclass(frozen=True)
class Sample:
    """An image file with its mask file, and what the dataset knows about them."""

    stem: str
    """The name that image and mask share, in Unicode's composed form (NFC)."""
    image_path: Path
    mask_path: Path
    finger: str = ""
    """The group whose shots are near duplicates; empty when unknown."""
    split: str = ""
    """Where it belongs; empty until the split is drawn."""
    reviewed: bool = False
    """Whether somebody has looked at the mask and accepted it."""
    source: str = ""
    """Where it came from, in free words."""

    def image(self) -> AnyImage:
        """Read the image as it is stored, see `data.image_files.read_image`."""
        refuse_link_out(self.image_path, self.image_path.parents[1])
        return read_image(self.image_path)

    def mask(self) -> Mask:
        """Read the mask."""
        refuse_link_out(self.mask_path, self.mask_path.parents[1])
        return read_mask(self.mask_path)

    def drawn_mask(self) -> DrawnMask:
        """Read the mask and judge what its labels mean; in a reviewed one somebody saw that."""
        refuse_link_out(self.mask_path, self.mask_path.parents[1])
        drawn = read_drawn_mask(self.mask_path)
        return drawn._replace(numbered=drawn.numbered and not self.reviewed)


def refuse_link_out(path: Path, folder: Path) -> None:
    """Refuse a link that leads out of a dataset: a stranger's must not reach the user's files."""
    if folder.resolve() not in path.resolve().parents:
        raise VeinSegError(f"{path} is a link out of the dataset: copy what it stands for.")


@dataclass(frozen=True)
class Fault:
    """Something in a dataset that cannot be used as it is."""

    stem: str
    """The sample that it concerns."""
    message: str
    """One sentence: what is wrong and how to mend it."""


@dataclass(frozen=True)
class Pair:
    """An image and its mask, read and found sound."""

    sample: Sample
    """Where they come from."""
    image: ImageArray
    mask: npt.NDArray[np.uint8]
    """Shape `(Y, X)`: 0 background, 1 vein, 2 unsure; something in it is known."""
    numbered: bool = False
    """Whether label 2 may be the number of a second piece, see `mask_files`."""

    @cached_property
    def image_hash(self) -> str:
        """Of the image's content, see `data.image_files.image_hash`."""
        return image_hash(self.image)

    @cached_property
    def mask_hash(self) -> str:
        """Of the mask's content."""
        return image_hash(self.mask)

    @cached_property
    def vein_pixels(self) -> int:
        """Pixels of the mask that are vein."""
        return int(np.count_nonzero(self.mask == VEIN))

    @property
    def warning(self) -> str:
        """A sentence on a mask whose labels may mean something else; empty for most."""
        if self.numbered:
            return numbered_remark(str(self.sample.mask_path))
        share = self.vein_pixels / int(np.count_nonzero(self.mask != UNSURE))
        if share <= MOST_VEIN:
            return ""
        return (
            f"{self.sample.mask_path} is {100 * share:.0f} % vein: check that its veins are 1 (or "
            "white) and its background 0 (or black)."
        )


def read_pair(sample: Sample, needs_vein: bool = True) -> Pair | Fault:
    """Read a sample and judge whether it can be learnt from or evaluated.

    Nothing can be learnt from a mask without a vein, but a model can be evaluated on it
    (`needs_vein`).
    """
    try:
        image, (mask, numbered) = sample.image(), sample.drawn_mask()
        for array, path in ((image, sample.image_path), (mask, sample.mask_path)):
            if array.ndim - is_colour(array.shape) != 2:
                raise VeinSegError(f"{path} is a stack: store its slices one by one.")
        if image.shape[:2] != mask.shape:
            raise VeinSegError(
                f"{sample.image_path} is {_size(image)} px and {sample.mask_path} {_size(mask)} "
                "px: redraw or crop one."
            )
        if (mask == UNSURE).all():
            raise VeinSegError(f"{sample.mask_path} says unsure everywhere: correct it.")
        if needs_vein and not (mask == VEIN).any():
            raise VeinSegError(f"{sample.mask_path} shows no vein: draw one or remove the sample.")
    except VeinSegError as error:
        return Fault(sample.stem, str(error))
    return Pair(sample, image, mask, numbered)


def read_sound_pair(sample: Sample) -> Pair:
    """Read a sample that a model can be evaluated on; raise VeinSegError where it is none."""
    pair = read_pair(sample, needs_vein=False)
    if isinstance(pair, Fault):
        raise VeinSegError(pair.message)
    return pair


def read_pairs(samples: Iterable[Sample], needs_vein: bool = True) -> Iterator[Pair | Fault]:
    """Read samples in order, on several threads, a few ahead of the one that is worked on."""
    threads = min(8, os.cpu_count() or 1)
    ahead: deque[Future[Pair | Fault]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for sample in samples:
                ahead.append(pool.submit(read_pair, sample, needs_vein))
                if len(ahead) > 2 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:  # also when nobody wants the rest
            for future in ahead:
                future.cancel()


def _size(array: npt.NDArray[Any]) -> str:
    return f"{array.shape[0]} x {array.shape[1]}"
