"""How far the work on each image of a folder is; what tells it is read and kept elsewhere."""

from enum import StrEnum

from napari_veinseg.correction.drafts import DraftNotes


class ImageState(StrEnum):
    """How far the work on an image is."""

    NEW = "new"
    SEGMENTED = "segmented"
    EDITED = "edited"
    REVIEWED = "reviewed"
    FAULTY = "faulty"


class ImageStates:
    """The states of a folder's images, by their places in it.

    Parameters
    ----------
    stems : list of str
        The names of the images in the dataset, in order.
    samples : dict of str to bool
        Whether a sample of the dataset is reviewed, by stem.
    """

    def __init__(self, stems: list[str], samples: dict[str, bool]) -> None:
        self._stems, self._samples = stems, samples
        self.faults: dict[int, str] = {}
        self.doubts: dict[int, float] = {}
        self.makers: dict[int, str] = {}  # what made a draft, see `DraftNotes.model`
        self.pending: set[int] = set()  # reviewed, and being written
        self._drafts: set[str] = set()
        self._edited: set[str] = set()

    def of(self, index: int) -> ImageState:
        """Say how far the work on an image is.

        Parameters
        ----------
        index : int
            Its place.

        Returns
        -------
        ImageState
            What is in work counts more than what was reviewed before.
        """
        stem = self._stems[index]
        if index in self.faults:
            return ImageState.FAULTY
        if index in self.pending:
            return ImageState.REVIEWED
        if stem in self._edited:
            return ImageState.EDITED
        if self._samples.get(stem):
            return ImageState.REVIEWED
        known = stem in self._drafts or stem in self._samples
        return ImageState.SEGMENTED if known else ImageState.NEW

    def count(self, state: ImageState) -> int:
        """Count the images in a state.

        Returns
        -------
        int
            How many there are.
        """
        return sum(self.of(index) is state for index in range(len(self._stems)))

    def next_unreviewed(self, after: int) -> int | None:
        """Find the next image that somebody must look at, beginning anew at the end.

        Parameters
        ----------
        after : int
            The image that is open.

        Returns
        -------
        int or None
            Its place; None when all others are reviewed or faulty.
        """
        done = (ImageState.REVIEWED, ImageState.FAULTY)
        order = [*range(after + 1, len(self._stems)), *range(after)]
        return next((index for index in order if self.of(index) not in done), None)

    def is_sample(self, index: int) -> bool:
        """Tell whether an image is in the dataset.

        Parameters
        ----------
        index : int
            Its place.
        """
        return self._stems[index] in self._samples

    def note_draft(self, index: int, notes: DraftNotes, *, edited: bool) -> None:
        """Note that an image has a mask that is in work.

        Parameters
        ----------
        index : int
            Its place.
        notes : DraftNotes
            What made the mask, and how doubtful it is.
        edited : bool
            Whether a person has worked on it.
        """
        stem = self._stems[index]
        self._drafts.add(stem)
        (self._edited.add if edited else self._edited.discard)(stem)
        self.makers[index] = notes.model
        if notes.doubt >= 0:
            self.doubts[index] = notes.doubt

    def note_review(self, index: int) -> None:
        """Note that an image is in the dataset, reviewed, and no longer in work.

        Parameters
        ----------
        index : int
            Its place.
        """
        stem = self._stems[index]
        self._drafts.discard(stem)
        self._edited.discard(stem)
        self._samples[stem] = True
