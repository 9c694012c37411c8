"""Which image next: the slices of a stack, or the images of a dataset, by their doubt."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_veinseg.correction.doubt import USUAL_WIDTH, image_doubt
from napari_veinseg.correction.tracing import measured_width
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.form import Section, button, fit_rows
from napari_veinseg.widgets.common.jobs import Job, Reporter, Step
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.widgets.correct.reviewing import Reviewing
from napari_veinseg.widgets.masks.layers import add_mask_layer


@dataclass(frozen=True)
class _Image:
    """One row of the list: a slice of the stack, or a sample of the dataset."""

    text: str
    reviewed: bool
    show: Callable[[], None]


class ImageOrder(Section):
    """Lists the images, the most doubtful first, and opens them."""

    def __init__(self, edited_mask: EditedMask, reviewing: Reviewing) -> None:
        super().__init__("")
        self._mask, self._reviewing = edited_mask, reviewing
        self._images: list[_Image] = []
        self._opened: dict[Path, weakref.ref[Labels]] = {}
        self.job = Job("Looking for doubtful images", self)
        self.model = ModelChoice()
        self.order = button(
            "Order the images by doubt",
            "List the slices of the stack, or the images of the dataset below when a single image "
            "is open, the most doubtful first.",
        )
        self.order.clicked.connect(self._order)
        self.list = QListWidget()
        self.list.setAccessibleName("Images by doubt")
        self.list.itemActivated.connect(self._show)
        self.list.itemClicked.connect(self._show)
        self.add_row("Model", self.model, "The model whose doubt orders the images of a dataset.")
        self.add_wide(self.order)
        self.add_wide(self.list, "The most doubtful first; a tick marks what is reviewed.")
        self.list.hide()

    def _order(self) -> None:
        with reported("Ordering the images", self):
            layer = self._mask.layer
            if layer is not None and layer.data.ndim == 3:
                self._order_slices()
            else:
                self._order_samples()

    def _order_samples(self) -> None:
        dataset = self._reviewing.find_dataset()
        if dataset is None:
            raise VeinSegError(
                "Open a stack, or choose a dataset below that holds images: one image has no order."
            )
        if not len(dataset):
            raise VeinSegError(
                f"{dataset.path} holds no image with a mask yet: store reviewed masks in it first."
            )
        samples, settings = list(dataset), SegmentationSettings(invert=self._mask.invert)
        images = [
            _Image(each.stem, each.reviewed, partial(self._show_sample, each)) for each in samples
        ]
        find = partial(_find_sample_doubts, samples, self.model.path, settings)
        self.job.start(find, partial(self._list, images))

    def _order_slices(self) -> None:
        mask = self._mask
        planes = mask.list_planes()
        probabilities = [mask.probability(plane) for plane in planes]
        if probabilities[0] is None:
            raise VeinSegError("Segment the stack first: its doubt is the model's.")
        dataset, images = self._reviewing.find_dataset(), []
        for plane in planes:
            stem = self._reviewing.find_stem(plane)
            reviewed = dataset is not None and stem in dataset and dataset[stem].reviewed
            images.append(_Image(f"Slice {plane[0]}", reviewed, partial(self._show_slice, plane)))
        find = partial(_find_slice_doubts, probabilities, mask.threshold())
        self.job.start(find, partial(self._list, images))

    def _list(self, images: list[_Image], doubts: list[float]) -> None:
        rows = sorted(zip(images, doubts, strict=True), key=lambda row: (row[0].reviewed, -row[1]))
        self._images = [image for image, _ in rows]
        self.list.clear()
        for image, doubt in rows:
            tick = "✓ " if image.reviewed else ""
            item = QListWidgetItem(f"{tick}{image.text}: doubt {doubt:.0%}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, image.text)
            self.list.addItem(item)
        fit_rows(self.list, 8)
        self.list.show()

    def _show(self, item: QListWidgetItem) -> None:
        with reported("Opening an image", self):
            self._images[self.list.row(item)].show()

    def _show_slice(self, plane: PlaneIndex) -> None:
        layer = self._mask.require_layer()
        self._mask.viewer.dims.set_point(0, layer.data_to_world((*plane, 0, 0))[0])

    def _show_sample(self, sample: Sample) -> None:
        """Open a sample, or go back to its mask where that is open and may have been corrected."""
        viewer, known = self._mask.viewer, self._opened.get(sample.image_path)
        mask = known() if known is not None else None
        if mask is None or mask not in viewer.layers:
            image = viewer.add_image(
                sample.image(), name=sample.stem, metadata={"files": [sample.image_path.name]}
            )
            mask = add_mask_layer(viewer, sample.mask(), image)
            self._opened[sample.image_path] = weakref.ref(mask)
        viewer.layers.selection.active = mask


def _find_slice_doubts(
    probabilities: list[Any], threshold: float, reporter: Reporter
) -> list[float]:
    doubts = []
    for number, probability in enumerate(probabilities):
        reporter.tell(Step(number, len(probabilities)))
        width = measured_width(probability >= threshold) or USUAL_WIDTH
        doubts.append(image_doubt(probability, width, threshold))
    return doubts


def _find_sample_doubts(
    samples: list[Sample], model_path: Path, settings: SegmentationSettings, reporter: Reporter
) -> list[float]:
    model = engine.load_model(model_path, reporter)
    doubts = []
    for number, sample in enumerate(samples):
        reporter.tell(Step(number, len(samples), f"Looking at {sample.stem}"))
        found = model.predict(sample.image(), settings, cancelled=reporter.cancelled)
        used = found.settings
        doubts.append(image_doubt(found.probability, used.vein_width, used.threshold))
    return doubts
