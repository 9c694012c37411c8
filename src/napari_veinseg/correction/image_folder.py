"""A folder of images that is worked through: where its images and their masks are.

Images are read one by one, when they are asked for.  Reviewed masks go into a dataset (`home`):
the folder itself where it is one, else a new folder beside it.  Masks that are not reviewed yet are
drafts in there (see `correction.mask_store`).  Nothing is ever written among the images.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_veinseg.correction.drafts import Draft, DraftFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import MaskHome
from napari_veinseg.data.array_types import ImageArray
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.image_files import list_images, read_image
from napari_veinseg.data.mixed_folders import masks_beside, mixed_remark
from napari_veinseg.data.samples_csv import stem_from
from napari_veinseg.errors import VeinSegError

HOME_ENDING = "_veins"
"""Behind the name of a folder of images: the name of the dataset beside it."""


@dataclass(frozen=True)
class OpenedImage:
    """An image as it was read."""

    index: int
    """Its place in the folder."""
    pixels: ImageArray
    draft: Draft | None
    """Its mask; of a reviewed image all pixels are the user's."""


class ImageFolder:
    """The images of a folder with their states, and the home of their masks; use `open`."""

    def __init__(self, path: Path, images: list[Path], masks: MaskHome, remark: str = "") -> None:
        self.path, self.images, self.masks = path, images, masks
        self.remark = remark
        """A sentence on what of the folder is left out; mostly empty."""
        self.stems = [stem_from(image.stem) for image in images]
        self._same_names = self._find_same_names()
        self.faults = dict(self._same_names)
        """Why images cannot be used, by their places."""

    @classmethod
    def open(cls, path: str | Path) -> "ImageFolder":
        """Look into a folder of images, or a dataset; at most a few images are read."""
        path = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - a link stays one
        if path.name == "images" and (path.parent / "masks").is_dir():
            path = path.parent
        is_dataset = (path / "images").is_dir()
        files = list_images(path / "images" if is_dataset else path)
        masks = masks_beside(files)
        images = sorted(set(files) - set(masks))
        if not images:
            raise VeinSegError(f"There is no image in {path}: choose a folder that holds some.")
        # Beside a link, not beside what it leads to, where nobody may be allowed to write.
        home = path if is_dataset else path.with_name(path.name + HOME_ENDING)
        home = home.resolve()  # one, however it is spelt
        return cls(path, images, MaskHome.at(home), mixed_remark(path, masks))

    @property
    def home(self) -> Path:
        """The dataset that reviewed masks go to; it need not exist."""
        return self.masks.path

    @property
    def drafts(self) -> DraftFolder:
        """The drafts in it."""
        return self.masks.drafts

    def _find_same_names(self) -> dict[int, str]:
        first: dict[str, Path] = {}
        found: dict[int, str] = {}
        for index, (stem, image) in enumerate(zip(self.stems, self.images, strict=True)):
            if first.setdefault(stem, image) is not image:
                found[index] = f"{image.name} shares its name with {first[stem].name}: rename one."
        return found

    def __len__(self) -> int:
        return len(self.images)

    def state(self, index: int) -> ImageState:
        """Say how far the work on an image is."""
        return ImageState.FAULTY if index in self.faults else self.masks.state(self.stems[index])

    def count(self, state: ImageState) -> int:
        """Count the images in a state."""
        return sum(self.state(index) is state for index in range(len(self)))

    def next_unreviewed(self, after: int) -> int | None:
        """Find the next image after one that somebody must look at, beginning anew at the end."""
        done = (ImageState.REVIEWED, ImageState.FAULTY)
        order = [*range(after + 1, len(self)), *range(after)]
        return next((index for index in order if self.state(index) not in done), None)

    def read(self, index: int) -> OpenedImage:
        """Read an image with its draft, else its mask in the dataset, else without a mask.

        Raise VeinSegError when it cannot be used.  Its state is faulty then, until it can be read,
        but where the folder itself is away: that says nothing about an image.
        """
        if index in self._same_names:
            raise VeinSegError(self._same_names[index])
        try:
            pixels = read_image(self.images[index])
            if pixels.ndim - is_colour(pixels.shape) != 2:
                raise VeinSegError(
                    f"{self.images[index].name} is a stack: open it by itself with File > Open."
                )
            opened = OpenedImage(index, pixels, self._mask_of(index, pixels))
        except VeinSegError as error:
            if self.is_away:
                raise VeinSegError(
                    f"{self.path} is gone or out of reach: what was reviewed is kept in "
                    f"{self.home}. Bring the folder back, or choose another."
                ) from error
            self.faults[index] = str(error)
            raise
        self.faults.pop(index, None)
        return opened

    @property
    def is_away(self) -> bool:
        """Whether the images' folder is not to be found, as of a disk that was unplugged."""
        return not self.images[0].parent.is_dir()

    def _mask_of(self, index: int, pixels: NDArray[Any]) -> Draft | None:
        draft = self.masks.draft(self.stems[index])
        if draft is not None and draft.mask.shape != pixels.shape[:2]:
            raise VeinSegError(
                f"{self.images[index].name} has {pixels.shape[:2]} pixels and its mask "
                f"{draft.mask.shape}: remove the one that is wrong."
            )
        return draft
