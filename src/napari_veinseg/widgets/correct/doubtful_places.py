"""Where to look next in an image: from one doubtful place to the next, each with a decision."""

import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from qtpy.QtCore import Signal

from napari_veinseg.correction.change import painted
from napari_veinseg.correction.doubt import (
    USUAL_WIDTH,
    Place,
    candidate_at,
    doubt_map,
    doubtful_places,
)
from napari_veinseg.correction.tracing import measured_width
from napari_veinseg.data.labels import BACKGROUND, UNSURE, VEIN
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.form import Section, button
from napari_veinseg.widgets.common.jobs import Job, Reporter
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.correct.edited_mask import EditedMask, PlaneIndex
from napari_veinseg.widgets.correct.message import Message
from napari_veinseg.widgets.correct.preview import Preview
from napari_veinseg.widgets.masks.layer_placement import pixel_side

_CLOSE = 3.0  # canvas px a pixel of the image: nearer, the zoom is left as it is
_REST = "Goes to where the model was least certain; the keys decide what is marked there."

Answer = tuple[NDArray[np.float32], float]
"""A model's probability for a plane, and the one from which it calls a pixel vein."""


class _Search(NamedTuple):
    """What the places were looked for in; another layer, plane, answer or threshold is another."""

    layer: Labels
    plane: PlaneIndex
    data: int
    probability: int
    threshold: float


class DoubtfulPlaces(Section):
    """Leads from doubt to doubt, and takes the user's decision at each."""

    asked = Signal()
    """A place waits for a decision."""

    def __init__(self, edited_mask: EditedMask, model: Callable[[], Path]) -> None:
        super().__init__("Where to look next")
        self._mask, self._model = edited_mask, model
        self._places: list[Place] = []
        self._at = -1
        self._found_in: _Search | None = None
        self._searched_in: _Search | None = None
        self._probability: NDArray[np.float32] | None = None
        self._width = 0.0
        self._asked: tuple[Any, tuple[PlaneIndex, bool, Path], Answer] | None = None
        self._mark: Preview | None = None
        self._camera_moved = False
        self.job = Job("Looking for doubtful places", self)
        self.next = button("Next doubt", "Move the camera to the next most doubtful place.")
        self.previous = button("Previous", "Move the camera back to the place before.")
        self.next.clicked.connect(lambda: self._go(1))
        self.previous.clicked.connect(lambda: self._go(-1))
        self.is_vein = button("Vein", "What is marked is vein; go to the next place.")
        self.is_no_vein = button("Not vein", "What is marked is no vein; go to the next place.")
        self.is_unsure = button("Unsure", "Nobody can tell what is marked; go to the next place.")
        self.decisions = (self.is_vein, self.is_no_vein, self.is_unsure)
        for made, label in zip(self.decisions, (VEIN, BACKGROUND, UNSURE), strict=True):
            made.clicked.connect(partial(self._decide, label))
        self.message = Message(_REST, lines=2)
        self.add_buttons(self.previous, self.next)
        self.add_buttons(*self.decisions)
        self.add_wide(self.message)
        self.leave()

    def take_camera_moved(self) -> bool:
        """Say whether a place of doubt was gone to since this was asked last."""
        moved, self._camera_moved = self._camera_moved, False
        return moved

    def leave(self) -> None:
        """Take the mark off the canvas; what is marked can be decided no more."""
        if self._mark is not None:
            self._mark.remove()
            self._mark = None
        for made in self.decisions:
            made.setEnabled(False)
        self.message.show_text(_REST)

    def follow_mask(self) -> None:
        """Forget the places of the mask before."""
        self.job.abandon()
        self._places, self._found_in, self._asked = [], None, None
        self.leave()

    def _go(self, step: int) -> None:
        with reported("Looking for doubtful places", self):
            mask, plane = self._mask, self._mask.displayed_plane()
            mask.bring_in_sight()
            known = mask.probability(plane)
            answer = self._recall(plane) if known is None else (known, mask.threshold())
            if answer is None:
                self._ask_model(step, plane)
            else:
                self._search(step, plane, *answer)

    def _recall(self, plane: PlaneIndex) -> Answer | None:
        """Return what the chosen model answered when it was asked from here."""
        if self._asked is None:
            return None
        image, how, answer = self._asked
        same = image is self._mask.image_data() and how == (plane, self._mask.invert, self._model())
        return answer if same else None

    def _ask_model(self, step: int, plane: PlaneIndex) -> None:
        """Let the model look at a mask that was drawn, opened or restored, for doubt alone."""
        if self.job.running:
            return
        mask, image = self._mask, self._mask.image_data()
        layer, path, invert = mask.require_layer(), self._model(), mask.invert

        def ask(reporter: Reporter) -> Answer:
            model = engine.load_model(path, reporter)
            settings, pixels = SegmentationSettings(invert=invert), np.asarray(image[plane])
            found = model.predict(pixels, settings, cancelled=reporter.cancelled)
            return found.probability, found.settings.threshold

        def keep(answer: Answer) -> None:
            self._asked = image, (plane, invert, path), answer
            if self._mask.shows(layer, plane):
                self._search(step, plane, *answer)
            else:
                end()

        def end() -> None:
            if self._mark is None:  # else somebody is at a place of another slice by now
                self.leave()

        self.leave()
        self.message.show_text("Asking the model about this image…")
        self.job.start(ask, keep, failed=end)

    def _search(
        self, step: int, plane: PlaneIndex, probability: NDArray[np.float32], threshold: float
    ) -> None:
        layer = self._mask.require_layer()
        # By what it holds: a plane of the probability is another array each time.
        answer = zlib.crc32(np.ascontiguousarray(probability).tobytes())
        search = _Search(layer, plane, id(layer.data), answer, threshold)
        if search == self._found_in:
            self._go_on(step)
            return
        settled = self._mask.edited(plane).copy()

        def find(_reporter: Reporter) -> tuple[list[Place], float]:
            width = measured_width(probability >= threshold) or USUAL_WIDTH
            doubt = doubt_map(probability, width, threshold)
            return doubtful_places(doubt, settled=settled), width

        def keep(found: tuple[list[Place], float]) -> None:
            self._places, self._width = found
            self._at = -1 if step > 0 else 0  # a step from there leads to the first or the last
            self._found_in, self._probability = search, probability
            if self._mask.shows(layer, plane):
                self._go_on(step)

        if self.job.running and search == self._searched_in:
            return
        self.job.abandon()  # on a slice that was left
        self._searched_in = search
        self.message.show_text("Looking for doubtful places…")
        self.job.do(probability.size, find, keep)

    def _go_on(self, step: int) -> None:
        """Mark the next place, or the one before, and ask for a decision."""
        assert self._found_in is not None
        self.leave()
        if not self._places:
            self.message.show_text("The model is certain everywhere here, or you have decided.")
            return
        self._at = (self._at + step) % len(self._places)
        place, (layer, plane, *_) = self._places[self._at], self._found_in
        self._move_camera(place, plane)
        self._mark = Preview(self._mask.viewer, layer, plane)
        self._mark.show_outline(self._candidate())
        for made in self.decisions:
            made.setEnabled(True)
        self.asked.emit()
        self.message.show_text(
            f"Place {self._at + 1} of {len(self._places)} that are left, {place.doubt:.0%} "
            "doubt: is what is outlined a vein?"
        )

    def _decide(self, label: int, _checked: bool = False) -> None:
        with reported("Deciding", self):
            if self._mark is None or self._found_in is None:
                return
            self._mask.bring_in_sight()
            if not self._mask.shows(self._found_in.layer, self._found_in.plane):
                raise VeinSegError("Press 'Next doubt' first: another image is shown now.")
            plane, candidate = self._found_in.plane, self._candidate()
            change = painted(self._mask.labels(plane), candidate, label)
            self._mask.write({plane: change}, {plane: candidate})
            del self._places[self._at]
            self._at -= 1
            self._go_on(1)

    def _candidate(self) -> NDArray[np.bool_]:
        assert self._probability is not None
        return candidate_at(self._probability, self._places[self._at], self._width)

    def _move_camera(self, place: Place, plane: PlaneIndex) -> None:
        layer, camera = self._mask.require_layer(), self._mask.viewer.scene.camera
        row, column = layer.data_to_world((*plane, place.row, place.column))[-2:]
        self._camera_moved = True
        camera.center = (0.0, row, column)
        camera.zoom = max(camera.zoom, _CLOSE / pixel_side(layer))
