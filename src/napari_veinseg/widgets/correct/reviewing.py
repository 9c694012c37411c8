"""Storing what has been reviewed in a dataset."""

import numpy as np
from qtpy.QtCore import Signal

from napari_veinseg.correction.drafts import model_name
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_source import as_drawn_source, corrected_source
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.inputs import FolderField
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.notify import remember_done, reported
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.masks.layers import sample_stem
from napari_veinseg.wording import counted


class Reviewing(Section):
    """Puts the displayed image and its mask into a dataset."""

    stored = Signal(object, object, object)
    """A plane was stored; carries the mask's layer, the plane's index and the stored labels."""

    def __init__(self, edited_mask: EditedMask) -> None:
        super().__init__("Keep")
        self._mask = edited_mask
        self.job = Job("Storing the mask", self)
        self.folder = FolderField("Choose a dataset", "Choose the folder, or make one.")
        self.folder.chosen.connect(self.show_state)
        self.reviewed = button(
            "Reviewed",
            "Store this image and its mask in the dataset, marked as reviewed.",
            primary=True,
        )
        self.reviewed.clicked.connect(self.store)
        self.message = Hint()
        self.message.hide()
        self.folder.add_to(
            self,
            "Dataset",
            "The folder with 'images' and 'masks' that reviewed masks are stored in.",
        )
        self.add_wide(self.reviewed)
        self.add_wide(self.message)

    def find_dataset(self) -> Dataset | None:
        """Open the chosen dataset; None where none is chosen or nothing was stored in it yet."""
        path = self.folder.path()
        if path is None or not path.is_dir() or not any(path.iterdir()):
            return None
        return Dataset.open(path)

    def store(self) -> None:
        """Store the displayed plane, beside the viewer when it is large."""
        with reported("Storing the mask", self):
            mask = self._mask
            layer, plane = mask.require_layer(), mask.displayed_plane()
            image, labels = mask.image_data(), mask.labels(plane).copy()
            mask.require_own_image()
            path, stem = self.folder.path(), self.find_stem(plane)
            if path is None:
                raise VeinSegError("Choose a dataset folder first: that is where masks are kept.")

            model = model_name(record_of(layer).notes.model)
            edited = mask.edited(plane).any()
            source = corrected_source(model) if edited else as_drawn_source(model)

            def work(_reporter: Reporter) -> Sample:
                pixels = np.asarray(image[plane])
                return Dataset.create(path).add_reviewed(stem, pixels, labels, source)

            def tell(sample: Sample) -> None:
                self.show_state()
                self.message.setText(f"{sample.stem} is stored. {self.message.text()}")
                remember_done(f"{sample.stem} is stored in {path}.")
                self.stored.emit(layer, plane, labels)

            if self.job.running:
                raise VeinSegError("The mask before is still being stored: try again in a moment.")
            self.job.do(labels.size, work, tell)

    def find_stem(self, plane: PlaneIndex) -> str:
        """Return the name that a plane has in the dataset."""
        image = self._mask.image
        if image is None:
            raise VeinSegError("Open the image that the mask belongs to: it is stored with it.")
        return sample_stem(image, plane)

    def show_state(self) -> None:
        """Say how many images of the dataset have been reviewed."""
        with reported("Reading the dataset", self):
            dataset = self.find_dataset()
            self.message.setVisible(dataset is not None)
            if dataset is not None:
                done = sum(sample.reviewed for sample in dataset)
                self.message.setText(f"Reviewed: {done} of {counted(len(dataset), 'image')}.")
