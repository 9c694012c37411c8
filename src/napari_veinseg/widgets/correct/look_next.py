"""Where to look next: the doubtful places of an image, and the images by their doubt."""

import weakref
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from napari_veinseg.correction.doubt import (
    Place,
    by_doubt,
    doubt_map,
    doubtful_places,
    image_doubt,
)
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import Sample
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.form import Section, button, fit_rows, hint
from napari_veinseg.widgets.common.jobs import Job, Reporter, Step
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.preview import Preview
from napari_veinseg.widgets.correct.target import Target
from napari_veinseg.widgets.masks.layers import add_mask_layer

_CLOSE = 3.0  # canvas px a pixel of the image: nearer, the zoom is left as it is


@dataclass(frozen=True)
class _Doubted:
    """One row of the list: a slice of the stack, or a sample of the dataset."""

    text: str
    doubt: float
    reviewed: bool
    open: Callable[[], None]


class LookNext(Section):
    """Leads from doubt to doubt.

    Parameters
    ----------
    target : Target
        What is corrected.
    dataset : callable
        Returns the chosen dataset, or None.
    is_reviewed : callable
        Says whether a slice of the target has been reviewed.
    """

    def __init__(
        self,
        target: Target,
        dataset: Callable[[], Dataset | None],
        is_reviewed: Callable[[tuple[int, ...]], bool],
    ) -> None:
        super().__init__("Where to look next")
        self._target, self._dataset, self._is_reviewed = target, dataset, is_reviewed
        self._places: list[Place] = []
        self._at = -1
        self._found_for: Any = None
        self._searched_for: Any = None
        self._rows: list[_Doubted] = []
        self._opened: dict[Path, weakref.ref[Labels]] = {}
        self._mark: Preview | None = None
        self.job = Job("Looking for doubtful images", self)
        self.search = Job("Looking for doubtful places", self)
        self.next = button("Next doubt", "Move the camera to the next most doubtful place.")
        self.previous = button("Previous", "Move the camera back to the place before.")
        self.next.clicked.connect(lambda: self._go(1))
        self.previous.clicked.connect(lambda: self._go(-1))
        self.said = hint()
        self.said.hide()
        self.order = button(
            "Order the images by doubt",
            "List the slices of the stack, or the images of the dataset below when a single image "
            "is open, the most doubtful first.",
        )
        self.order.clicked.connect(self._order)
        self.model = ModelChoice()
        self.images = QListWidget()
        self.images.setAccessibleName("Images by doubt")
        self.images.itemActivated.connect(self._open)
        self.images.itemClicked.connect(self._open)
        self.add_buttons(self.previous, self.next)
        self.add_wide(self.said)
        self.add_row("Model", self.model, "The model whose doubt orders the images of a dataset.")
        self.add_wide(self.order)
        self.add_wide(self.images, "The most doubtful first; a tick marks what is reviewed.")
        self.images.hide()

    def _go(self, step: int) -> None:
        with reported("Looking for doubtful places"):
            target, plane = self._target, self._target.plane()
            probability = target.probability(plane)
            if probability is None:
                raise VeinSegError(
                    "No model has been asked about this mask: segment the image first to learn "
                    "where it doubts."
                )
            layer, threshold = target.layer(), target.threshold()
            # By what it holds: a plane of the probability is another array each time.
            model = (zlib.crc32(np.ascontiguousarray(probability)), threshold)
            found_for = (id(layer), plane, id(layer.data), *model)
            if found_for == self._found_for:
                self._go_on(step, plane)
                return
            width, settled = target.typical_width(), target.edited(plane).copy()

            def find(_reporter: Reporter) -> list[Place]:
                return doubtful_places(doubt_map(probability, width, threshold), settled=settled)

            def found(places: list[Place]) -> None:
                self._places, self._at, self._found_for = places, -1, found_for
                if self._is_shown(layer, plane):
                    self._go_on(step, plane)

            if self.search.running and found_for == self._searched_for:
                return
            self.search.abandon()  # on a slice that was left
            self._searched_for = found_for
            self.search.do(probability.size, find, found)

    def _is_shown(self, layer: Labels, plane: tuple[int, ...]) -> bool:
        with suppress(VeinSegError):  # nothing is displayed in 3D
            return self._target.mask is layer and self._target.plane() == plane
        return False

    def _go_on(self, step: int, plane: tuple[int, ...]) -> None:
        if not self._places:
            self._say("The model is certain everywhere here.")
            return
        self._at = (self._at + step) % len(self._places)
        self._show(self._places[self._at], plane)

    def _show(self, place: Place, plane: tuple[int, ...]) -> None:
        viewer, layer = self._target.viewer, self._target.layer()
        here = np.array([[place.row, place.column]], np.float64)
        corner, centre = (
            layer.data_to_world((*plane, row, place.column))[-2:]
            for row in (place.row + 1, place.row)
        )
        camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
        pixel = float(np.linalg.norm(np.subtract(corner, centre)))
        camera.center = (0.0, *centre)
        camera.zoom = max(camera.zoom, _CLOSE / pixel)
        self.leave()
        self._mark = Preview(viewer, layer, plane)
        self._mark.show_vein(np.zeros((0, 2)), 0, here)
        self._say(
            f"Place {self._at + 1} of {len(self._places)}: {place.doubt:.0%} doubt at row "
            f"{place.row}, column {place.column}."
        )

    def _say(self, text: str) -> None:
        self.said.setText(text)
        self.said.show()

    def leave(self) -> None:
        """Take the mark off the canvas."""
        if self._mark is not None:
            self._mark.remove()
            self._mark = None

    def _order(self) -> None:
        with reported("Ordering the images"):
            mask = self._target.mask
            if mask is not None and mask.data.ndim == 3:
                self._order_slices()
                return
            dataset = self._dataset()
            if dataset is None:
                raise VeinSegError(
                    "Open a stack, or choose a dataset below: one image has no order."
                )
            samples, model = list(dataset), self.model.path
            settings = SegmentationSettings(invert=self._target.invert)
            self.job.start(
                lambda reporter: _sample_doubts(samples, model, settings, reporter),
                lambda doubts: self._list(
                    [
                        _Doubted(s.stem, d, s.reviewed, lambda s=s: self._open_sample(s))
                        for s, d in zip(samples, doubts, strict=True)
                    ]
                ),
            )

    def _order_slices(self) -> None:
        target = self._target
        planes = target.planes(True)
        probabilities = [target.probability(plane) for plane in planes]
        if probabilities[0] is None:
            raise VeinSegError("Segment the stack first: its doubt is the model's.")
        width, threshold = target.typical_width(), target.threshold()
        self.job.start(
            lambda reporter: _slice_doubts(probabilities, width, threshold, reporter),
            lambda doubts: self._list(
                [
                    _Doubted(
                        f"Slice {plane[0]}",
                        doubt,
                        self._is_reviewed(plane),
                        lambda plane=plane: target.viewer.dims.set_point(
                            0, target.layer().data_to_world((*plane, 0, 0))[0]
                        ),
                    )
                    for plane, doubt in zip(planes, doubts, strict=True)
                ]
            ),
        )

    def _list(self, rows: list[_Doubted]) -> None:
        order = by_doubt([row.doubt for row in rows], [row.reviewed for row in rows])
        self._rows = [rows[index] for index in order]
        self.images.clear()
        for row in self._rows:
            tick = "✓ " if row.reviewed else ""
            item = QListWidgetItem(f"{tick}{row.text}: doubt {row.doubt:.0%}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, row.text)
            self.images.addItem(item)
        fit_rows(self.images, 8)
        self.images.show()

    def _open(self, item: QListWidgetItem) -> None:
        with reported("Opening an image"):
            self._rows[self.images.row(item)].open()

    def _open_sample(self, sample: Sample) -> None:
        """Open a sample, or go back to its mask where that is open and may have been corrected."""
        viewer, known = self._target.viewer, self._opened.get(sample.image_path)
        mask = known() if known is not None else None
        if mask is None or mask not in viewer.layers:
            image = viewer.add_image(
                sample.image(), name=sample.stem, metadata={"files": [sample.image_path.name]}
            )
            mask = add_mask_layer(viewer, sample.mask(), image)
            self._opened[sample.image_path] = weakref.ref(mask)
        viewer.layers.selection.active = mask


def _slice_doubts(
    probabilities: list[Any], width: float, threshold: float, reporter: Reporter
) -> list[float]:
    doubts = []
    for number, probability in enumerate(probabilities):
        reporter.tell(Step(number, len(probabilities)))
        doubts.append(image_doubt(probability, width, threshold))
    return doubts


def _sample_doubts(
    samples: list[Sample], model_path: Path, settings: SegmentationSettings, reporter: Reporter
) -> list[float]:
    model = engine.load_model(model_path, reporter)
    doubts = []
    for number, sample in enumerate(samples):
        reporter.tell(Step(number, len(samples), f"Looking at {sample.stem}"))
        probability = model.probability(sample.image(), settings)
        doubts.append(image_doubt(probability))
    return doubts
