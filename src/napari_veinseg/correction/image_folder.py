"""A folder of images that is worked through: where its images and their masks are.

Images are read one by one, when they are asked for.  Reviewed masks go into a dataset (`home`):
the folder itself where it is one, else a new folder beside it.  Masks that are not reviewed yet are
drafts in there (see `correction.drafts`).  Nothing is ever written among the images.
"""

from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.correction.drafts import Draft, DraftFolder
from napari_veinseg.correction.image_states import ImageState, ImageStates
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.drawn_by import corrected_source
from napari_veinseg.data.fingers import make_thumbnail
from napari_veinseg.data.grey import is_colour
from napari_veinseg.data.images import list_images, read_image
from napari_veinseg.data.samples_csv import stem_from
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import writing

HOME_ENDING = "_veins"
"""Behind the name of a folder of images: the name of the dataset beside it."""


@dataclass(frozen=True)
class OpenedImage:
    """An image as it was read.

    Parameters
    ----------
    index : int
        Its place in the folder.
    pixels : ndarray
        `(Y, X)` or `(Y, X, 3 or 4)`, as stored.
    draft : Draft or None
        Its mask; of a reviewed image all pixels are the user's.
    """

    index: int
    pixels: NDArray[Any]
    draft: Draft | None


class ImageFolder:
    """The images of a folder with their states; use `open`.

    Parameters
    ----------
    path : Path
        What the user chose.
    images : list of Path
        The image files, in order.
    home : Path
        The dataset that reviewed masks go to; it need not exist.
    """

    def __init__(self, path: Path, images: list[Path], home: Path) -> None:
        self.path, self.images, self.home = path, images, home
        self.stems = [stem_from(image.stem) for image in images]
        self.drafts = DraftFolder(home)
        self._writing = Lock()
        self.states = ImageStates(self.stems, self._reviewed_samples())
        self._find_same_names()
        self._find_drafts()

    @classmethod
    def open(cls, path: str | Path) -> "ImageFolder":
        """Look into a folder; no image is read.

        Parameters
        ----------
        path : str or Path
            A folder of images, or a dataset with `images/` in it.

        Raises
        ------
        VeinSegError
            When there is no image or the folder cannot be read.
        """
        path = Path(path).expanduser()
        if path.name == "images" and (path.parent / "masks").is_dir():
            path = path.parent
        is_dataset = (path / "images").is_dir()
        images = list_images(path / "images" if is_dataset else path)
        if not images:
            raise VeinSegError(f"There is no image in {path}: choose a folder that holds some.")
        return cls(path, images, path if is_dataset else path.with_name(path.name + HOME_ENDING))

    def _reviewed_samples(self) -> dict[str, bool]:
        if not (self.home / "images").is_dir():
            return {}
        return {sample.stem: sample.reviewed for sample in Dataset.open(self.home)}

    def _find_same_names(self) -> None:
        first: dict[str, Path] = {}
        for index, (stem, image) in enumerate(zip(self.stems, self.images, strict=True)):
            if first.setdefault(stem, image) is not image:
                self.states.faults[index] = (
                    f"{image.name} shares its name with {first[stem].name}: rename one."
                )

    def _find_drafts(self) -> None:
        drafts, edited = self.drafts.stems()
        for index, stem in enumerate(self.stems):
            if stem in drafts:
                self.states.note_draft(index, self.drafts.notes(stem), edited=stem in edited)

    def __len__(self) -> int:
        return len(self.images)

    def read(self, index: int) -> OpenedImage:
        """Read an image and its mask.

        Parameters
        ----------
        index : int
            Its place.

        Returns
        -------
        OpenedImage
            With the draft, else the mask in the dataset, else none.

        Raises
        ------
        VeinSegError
            When it cannot be used; its state is faulty from then on.
        """
        try:
            if index in self.states.faults:
                raise VeinSegError(self.states.faults[index])
            pixels = read_image(self.images[index])
            if pixels.ndim - is_colour(pixels.shape) != 2:
                raise VeinSegError(
                    f"{self.images[index].name} is a stack: open it by itself with File > Open."
                )
            return OpenedImage(index, pixels, self._mask_of(index, pixels))
        except VeinSegError as error:
            self.states.faults[index] = str(error)
            raise

    def _mask_of(self, index: int, pixels: NDArray[Any]) -> Draft | None:
        stem = self.stems[index]
        draft = self.drafts.read(stem)
        if draft is None and self.states.is_sample(index):
            sample = Dataset.open(self.home)[stem]
            mask = sample.mask()
            draft = Draft(mask, np.ones(mask.shape, bool) if sample.reviewed else None)
        if draft is not None and draft.mask.shape != pixels.shape[:2]:
            raise VeinSegError(
                f"{self.images[index].name} has {pixels.shape[:2]} pixels and its mask "
                f"{draft.mask.shape}: remove the one that is wrong."
            )
        return draft

    def store(self, index: int, draft: Draft) -> None:
        """Keep a mask that is in work.

        Parameters
        ----------
        index : int
            The image's place.
        draft : Draft
            The mask.

        Raises
        ------
        VeinSegError
            When it cannot be written.
        """
        with self._writing:
            self._store(index, draft)

    def store_prediction(self, index: int, draft: Draft) -> bool:
        """Keep a model's mask, unless somebody has worked on the image meanwhile.

        Parameters
        ----------
        index : int
            The image's place.
        draft : Draft
            The mask.

        Raises
        ------
        VeinSegError
            When it cannot be written.
        """
        with self._writing:
            free = self.states.of(index) in (ImageState.NEW, ImageState.SEGMENTED)
            if free:
                self._store(index, draft)
            return free

    def _store(self, index: int, draft: Draft) -> None:
        edited = draft.edited is not None and bool(draft.edited.any())
        self.drafts.write(self.stems[index], draft)
        self.states.note_draft(index, draft.notes, edited=edited)

    def review(
        self, index: int, pixels: NDArray[Any], mask: NDArray[np.uint8], model: str = ""
    ) -> None:
        """Put an image and its mask into the dataset, marked as reviewed.

        Parameters
        ----------
        index : int
            The image's place.
        pixels : ndarray
            The image as it was read.
        mask : ndarray of uint8
            `(Y, X)`: 0 background, 1 vein, 2 unsure.
        model : str, optional
            The name of the model that drew it; of a mask that was reviewed before, what is known
            stays.

        Raises
        ------
        VeinSegError
            When they cannot be written.
        """
        stem = self.stems[index]
        source = "" if self.states.is_sample(index) and not model else corrected_source(model)
        with self._writing:
            self.dataset().add(
                stem, pixels, mask, reviewed=True, replace=True, same_image=True, source=source
            )
            self.drafts.write_look(stem, make_thumbnail(pixels))
            self.drafts.remove(stem)
            self.states.note_review(index)

    def dataset(self) -> Dataset:
        """Open the dataset, or make it.

        Raises
        ------
        VeinSegError
            When it cannot be made.
        """
        if not (self.home / "images").is_dir():  # there may be drafts in it already
            with writing(self.home):
                for room in ("images", "masks"):
                    (self.home / room).mkdir(parents=True, exist_ok=True)
        return Dataset.open(self.home)
