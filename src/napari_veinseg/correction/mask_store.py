"""The masks of one dataset: those on disk, those that wait to be written, and how far each is."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.correction.drafts import Draft, DraftFolder, DraftNotes, model_name
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.finger_groups import make_thumbnail
from napari_veinseg.data.mask_files import numbered_remark
from napari_veinseg.data.mask_source import (
    as_drawn_source,
    corrected_source,
    drawing_model,
    is_as_drawn,
)
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import writing


@dataclass(frozen=True, eq=False)
class Unsaved:
    """The last word about an image, which is not on disk yet."""

    draft: Draft
    pixels: NDArray[Any] | None = None
    """Of an image that was reviewed, as it was read; None for a mask in work."""
    as_drawn: bool = False
    """Whether it was reviewed without a stroke of a person's."""

    @property
    def state(self) -> ImageState:
        """How far the work is."""
        if self.pixels is not None:
            return ImageState.REVIEWED
        return ImageState.EDITED if self.draft.is_edited else ImageState.SEGMENTED


class MaskHome:
    """Masks by the names of their images; use `at`.

    All who work on a dataset in this process share one such object: what one of them has drawn,
    written or not, the others know, and no older mask is written after a newer one.
    """

    _known: ClassVar["WeakValueDictionary[Path, MaskHome]"] = WeakValueDictionary()
    _finding = Lock()

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unsaved: dict[str, Unsaved] = {}
        self._keeping = Lock()
        self._writing = Lock()

    @classmethod
    def at(cls, path: Path) -> "MaskHome":
        """Return the home at a resolved path, with what is on disk now."""
        with cls._finding:
            home = cls._known.get(path)
            if home is None:
                home = cls._known[path] = cls(path)
        home._look()
        return home

    def _look(self) -> None:
        with self._writing:
            samples = Dataset.open(self.path) if (self.path / "images").is_dir() else ()
            self._reviewed = {sample.stem: sample.reviewed for sample in samples}
            self.drafts = DraftFolder(self.path)
            self._drafted, self._edited = self.drafts.stems()
            self.makers: dict[str, str] = {}  # what made a draft, see `DraftNotes.model`
            self.doubts: dict[str, float] = {}
            for stem in self._drafted:
                self._note_maker(stem, self.drafts.notes(stem))

    def state(self, stem: str) -> ImageState:
        """Say how far the work on an image is; what is in work counts more than a review."""
        unsaved = self.unsaved(stem)
        if unsaved is not None:
            return unsaved.state
        if stem in self._edited:
            return ImageState.EDITED
        if self._reviewed.get(stem):
            return ImageState.REVIEWED
        known = stem in self._drafted or stem in self._reviewed
        return ImageState.SEGMENTED if known else ImageState.NEW

    def unsaved(self, stem: str) -> Unsaved | None:
        """Return what is not on disk yet of an image, None when all is."""
        return self._unsaved.get(stem)

    def draft(self, stem: str) -> Draft | None:
        """Return the newest mask of an image, None when it has none."""
        unsaved = self.unsaved(stem)
        if unsaved is not None:
            return unsaved.draft
        draft = self.drafts.read(stem)
        if draft is None and stem in self._reviewed:
            dataset = Dataset.open(self.path)
            if stem not in dataset:  # somebody has taken it away since
                self._reviewed.pop(stem, None)
                return None
            sample = dataset[stem]
            drawn = sample.drawn_mask()
            draft = Draft(
                drawn.mask,
                np.ones(drawn.mask.shape, bool) if sample.reviewed else None,
                remark=numbered_remark(sample.mask_path.name) if drawn.numbered else "",
            )
        return draft

    def keep(self, stem: str, unsaved: Unsaved) -> None:
        """Take the last word about an image, in place of what waits; `write` puts it on disk."""
        with self._keeping:
            self._unsaved[stem] = unsaved

    def write(self, stem: str) -> None:
        """Write what is not on disk yet of an image; what cannot be written goes on waiting.

        Raise VeinSegError when it cannot be written.  What the dataset alone refuses is a draft
        from then on.
        """
        with self._writing:
            unsaved = self.unsaved(stem)
            if unsaved is None:
                return
            refused: VeinSegError | None = None
            if unsaved.pixels is not None:
                try:
                    self._review(stem, unsaved.pixels, unsaved)
                except VeinSegError as error:
                    refused = error
            if unsaved.pixels is None or refused is not None:
                self._store(stem, unsaved.draft)
            with self._keeping:
                if self._unsaved[stem] is unsaved:  # else a newer one came meanwhile
                    del self._unsaved[stem]
            if refused is not None:
                raise refused

    def is_news(self, stem: str, draft: Draft) -> bool:
        """Say whether a model's mask may be kept: nobody has worked on the image, and it is new."""
        untouched = self.state(stem) in (ImageState.NEW, ImageState.SEGMENTED)
        return untouched and self.makers.get(stem, "") != draft.notes.model

    def store_prediction(self, stem: str, draft: Draft) -> bool:
        """Write a model's mask at once where it may be kept, and say whether it was."""
        with self._writing:
            stored = self.is_news(stem, draft) and self.unsaved(stem) is None
            if stored:
                self._store(stem, draft)
            return stored

    def _store(self, stem: str, draft: Draft) -> None:
        self.drafts.write(stem, draft)
        self._drafted.add(stem)
        (self._edited.add if draft.is_edited else self._edited.discard)(stem)
        self._note_maker(stem, draft.notes)

    def _note_maker(self, stem: str, notes: DraftNotes) -> None:
        self.makers[stem] = notes.model
        if notes.doubt >= 0:
            self.doubts[stem] = notes.doubt

    def _review(self, stem: str, pixels: NDArray[Any], unsaved: Unsaved) -> None:
        dataset, mask = self.dataset(), unsaved.draft.mask
        source = _source(dataset, stem, unsaved)
        dataset.add_reviewed(stem, pixels, mask, source)
        self.drafts.write_look(stem, make_thumbnail(pixels))
        self.drafts.remove(stem)
        self._drafted.discard(stem)
        self._edited.discard(stem)
        self._reviewed[stem] = True

    def dataset(self) -> Dataset:
        """Open the dataset, or make it."""
        with writing(self.path):  # there may be drafts in it already, or images alone
            for room in ("images", "masks"):
                (self.path / room).mkdir(parents=True, exist_ok=True)
        return Dataset.open(self.path)


def _source(dataset: Dataset, stem: str, unsaved: Unsaved) -> str:
    """Say who drew a reviewed mask; empty where what is known of the sample stays true."""
    model = model_name(unsaved.draft.notes.model)
    if stem in dataset:
        known = dataset[stem]
        if known.reviewed and _holds(known, unsaved.draft.mask):
            return ""
        if not model:
            model = drawing_model(known.source) if is_as_drawn(known.source) else ""
            return corrected_source(model) if model else ""
    return as_drawn_source(model) if unsaved.as_drawn else corrected_source(model)


def _holds(sample: Sample, mask: NDArray[np.uint8]) -> bool:
    with suppress(VeinSegError):
        return np.array_equal(sample.mask(), mask)
    return False
