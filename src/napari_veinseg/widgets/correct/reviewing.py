"""Storing what has been reviewed in a dataset."""

from pathlib import Path

from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLineEdit

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import Section, button, hint
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.target import Plane, Target
from napari_veinseg.widgets.masks.layers import sample_stem


class Reviewing(Section):
    """Puts the displayed image and its mask into a dataset.

    Parameters
    ----------
    target : Target
        What is corrected.
    """

    stored = Signal(object)
    """A plane was stored; carries its index."""

    def __init__(self, target: Target) -> None:
        super().__init__("Keep")
        self._target = target
        self._dataset: Dataset | None = None
        self.folder = QLineEdit()
        self.folder.setPlaceholderText("choose a folder")
        self.folder.editingFinished.connect(self._forget)
        self.browse = button("Choose…", "Choose the folder, or make one.")
        self.browse.clicked.connect(self._browse)
        self.reviewed = button(
            "Reviewed",
            "Store this image and its mask in the dataset, marked as reviewed.",
            primary=True,
        )
        self.reviewed.clicked.connect(self.store)
        self.said = hint()
        self.said.hide()
        self.add_row(
            "Dataset",
            self.folder,
            "The folder with 'images' and 'masks' that reviewed masks are stored in.",
            self.browse,
        )
        self.add_wide(self.reviewed)
        self.add_wide(self.said)

    def dataset(self) -> Dataset | None:
        """Return the chosen dataset.

        Returns
        -------
        Dataset or None
            None when no folder is chosen.

        Raises
        ------
        VeinSegError
            When the folder holds something else.
        """
        if self._dataset is None and self.folder.text().strip():
            self._dataset = Dataset.create(Path(self.folder.text().strip()).expanduser())
        return self._dataset

    def store(self) -> None:
        """Store the displayed plane."""
        with reported("Storing the mask"):
            target = self._target
            plane = target.plane()
            pixels, mask = target.pixels(plane), target.labels(plane)
            target.require_pair()
            dataset = self.dataset()
            if dataset is None:
                raise VeinSegError("Choose a dataset folder first: that is where masks are kept.")
            sample = dataset.add(
                self.stem(plane),
                pixels,
                mask,
                reviewed=True,
                replace=True,
                same_image=True,
                source="corrected",
            )
            self.show_state()
            show_info(f"{sample.stem} is stored in {dataset.path}.")
            self.stored.emit(plane)

    def is_reviewed(self, plane: Plane) -> bool:
        """Say whether a plane lies in the dataset as reviewed.

        Parameters
        ----------
        plane : tuple of int
            Its index.

        Returns
        -------
        bool
            False when no dataset is chosen.
        """
        dataset = self.dataset()
        return bool(dataset and self.stem(plane) in dataset and dataset[self.stem(plane)].reviewed)

    def stem(self, plane: Plane) -> str:
        """Return the name that a plane has in the dataset.

        Parameters
        ----------
        plane : tuple of int
            Its index.

        Returns
        -------
        str
            See `layers.sample_stem`.
        """
        image = self._target.image
        if image is None:
            raise VeinSegError("Open the image that the mask belongs to: it is stored with it.")
        return sample_stem(image, plane)

    def show_state(self) -> None:
        """Say how many images of the dataset have been reviewed."""
        with reported("Reading the dataset"):
            dataset = self.dataset()
            if dataset is not None:
                done = sum(sample.reviewed for sample in dataset)
                self.said.show()
                self.said.setText(f"{done} of {len(dataset)} images are reviewed.")

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Choose a dataset", self.folder.text())
        if chosen:
            self.folder.setText(chosen)
            self._forget()
            self.show_state()

    def _forget(self) -> None:
        if self._dataset is None or str(self._dataset.path) != self.folder.text().strip():
            self._dataset = None
