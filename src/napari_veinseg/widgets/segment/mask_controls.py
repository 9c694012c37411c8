"""The controls of a mask that the plugin made: threshold, smallest component, saving."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import napari
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLineEdit
from superqt import QLabeledDoubleSlider, QLabeledSlider
from superqt.utils import signals_blocked

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.data.array_types import ProbabilityStack
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.asking import may_replace
from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.form import Hint, Section, button
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import reported, show_info
from napari_veinseg.widgets.masks.layer_metadata import has_probability, record_of
from napari_veinseg.widgets.masks.layers import adjustable_mask, mask_stem
from napari_veinseg.widgets.segment.refine import Changes, apply_changes, changes_to

_AT_ONCE = 1_500_000  # px that are thresholded faster than a slider moves on
_PAUSE = 1.0  # s after which another change by keys, wheel or typing is another undo step


class MaskControls(Section):
    """Sliders that change a mask from its kept probability, and a button that saves it.

    A drag of a slider is one undo step, and pixels that the user edited stay.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__("Mask")
        self.masks = LayerChoice(
            viewer,
            Labels,
            accepts=has_probability,
            empty="None yet",
            counterpart=partial(adjustable_mask, viewer),
        )
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0.01, 0.99)
        self.threshold.setDecimals(2)
        self.threshold.setSingleStep(0.01)
        self.threshold.setPageStep(0.05)
        self.min_size = QLabeledSlider(Qt.Orientation.Horizontal)
        self.reset = button("Model's own", "Put both sliders back to where the model had them.")
        self.save = button("Save mask…", "Write the mask to a tif or png file.")
        self.add_row("Mask", self.masks, "The mask that the sliders change and 'Save mask…' saves.")
        self.add_row(
            "Threshold",
            self.threshold,
            "Probability from which a pixel is vein: lower finds more, higher is stricter.",
        )
        self.add_row(
            "Smallest part (px)", self.min_size, "Connected parts of fewer pixels are dropped."
        )
        self.add_wide(Hint("Painted pixels stay as they are."))
        self.add_buttons(self.reset, self.save)

        self._job = Job("Applying the threshold", self)
        self._saving = Job("Saving the mask", self)
        self._pending = False
        self._step: object | None = None
        self._last_change = -_PAUSE
        self.masks.layer_changed.connect(self.show_mask)
        for slider in (self.threshold, self.min_size):
            slider.sliderPressed.connect(self._begin_step)
            slider.valueChanged.connect(self._change)
        self._job.changed.connect(self._go_on)
        self._saving.changed.connect(self._show_saving)
        self.save.clicked.connect(self._save)
        self.reset.clicked.connect(self._put_back)
        self.show_mask()

    def show_mask(self) -> None:
        """Set the sliders to the values of the chosen mask."""
        layer = self.masks.layer
        for control in (self.threshold, self.min_size, self.reset):
            control.setEnabled(layer is not None)
        for slider in (self.threshold, self.min_size):
            slider.findChild(QLineEdit).setHidden(layer is None)  # the value would be nobody's
        self._show_saving()
        self._begin_step()
        self._pending = False  # it was of the mask before
        if layer is None:
            return
        notes = record_of(layer).notes
        with signals_blocked(self.threshold), signals_blocked(self.min_size):
            self.threshold.setValue(notes.threshold)
            self.min_size.setRange(0, max(1000, 4 * notes.min_size))
            self.min_size.setValue(notes.min_size)

    def _put_back(self) -> None:
        layer = self.masks.layer
        if layer is not None:
            self._begin_step()
            self.threshold.setValue(record_of(layer).own_notes.threshold)
            self.min_size.setValue(record_of(layer).own_notes.min_size)

    def _show_saving(self) -> None:
        self.save.setEnabled(self.masks.layer is not None and not self._saving.running)

    def _begin_step(self) -> None:
        self._step = None

    def _change(self) -> None:
        now = time.monotonic()
        held = self.threshold.isSliderDown() or self.min_size.isSliderDown()
        if not held and now - self._last_change > _PAUSE:
            self._begin_step()
        self._last_change = now
        with reported("Changing the mask", self):
            self.update_mask()

    def update_mask(self) -> None:
        """Make the chosen mask what its probability says, around the edits."""
        layer = self.masks.layer
        if layer is None:
            return
        record = record_of(layer)
        if record.probability is None or not has_probability(layer):
            raise VeinSegError(
                f"The shape of '{layer.name}' was changed: press Segment to make a new mask."
            )
        threshold, min_size = self.threshold.value(), self.min_size.value()
        notes = replace(record.notes, threshold=threshold, min_size=min_size)
        data, probability, edited = layer.data, record.probability, record.edits.edited
        work = partial(changes_to, data, probability, threshold, min_size, edited)
        apply = partial(self._apply, layer, probability, notes)
        if layer.data.size <= _AT_ONCE:
            apply(work())
        elif not self._job.start(lambda _reporter: work(), done=apply):
            self._pending = True

    def _apply(
        self, layer: Labels, probability: ProbabilityStack, notes: DraftNotes, changes: Changes
    ) -> None:
        record = record_of(layer)
        if record.probability is probability:  # else it shows another mask by now
            self._step = apply_changes(layer, changes, self._step)
            record.notes = notes  # not before: a mask is signed by the threshold that it has

    def _go_on(self) -> None:
        """Catch up with a slider that moved on while a large mask was worked on."""
        if self._pending and not self._job.running:
            self._pending = False
            with reported("Changing the mask", self):
                self.update_mask()

    def _save(self) -> None:
        layer = self.masks.layer
        if layer is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self, "Save mask", f"{mask_stem(layer)}_veins.tif", "TIFF (*.tif *.tiff);;PNG (*.png)"
        )
        if not name:
            return
        path = Path(name)
        if path.suffix.lower() not in (".tif", ".tiff", ".png"):
            path = path.with_name(path.name + ".tif")
            if not may_replace(self, [path]):  # the dialog has asked about another name
                return
        mask = layer.data.copy()  # painting goes on while a slow disk writes
        self._saving.start(
            lambda _reporter: write_mask(path, mask), lambda _none: show_info(f"Saved {path}.")
        )
