"""The Segment widget: from an open image to an editable mask by one button."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import napari
from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.form import Hint, Section, button, connect_while_alive
from napari_veinseg.widgets.common.inputs import ImageOptions
from napari_veinseg.widgets.common.jobs import Job, Step
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.common.model_note import ModelNote
from napari_veinseg.widgets.common.notify import reported, warn
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, image_of, record_of
from napari_veinseg.widgets.masks.layers import (
    add_mask_layer,
    add_probability_layer,
    adjustable_mask,
    as_image_or_stack,
    image_data,
    is_source_image,
    mask_in_work,
)
from napari_veinseg.widgets.segment.folder import FolderTask, segment_folder, show_folder
from napari_veinseg.widgets.segment.folder_dialog import FolderDialog
from napari_veinseg.widgets.segment.mask_controls import MaskControls
from napari_veinseg.widgets.segment.model_suggestion import ModelSuggestion
from napari_veinseg.widgets.segment.refine import apply_changes, differences
from napari_veinseg.widgets.segment.region_controls import RegionControls, region_of_layer
from napari_veinseg.widgets.segment.segment_work import ImageTask, Result, Results, segment_images
from napari_veinseg.widgets.segment.vein_width_box import VeinWidthBox


class SegmentWidget(Panel):
    """Choose an image and a model, press Segment, and refine the mask."""

    segmented = Signal()
    """A mask shows a new result."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.identify: Callable[[SegmentationSettings], str] = lambda _settings: ""
        """Says what makes masks with such settings now, see `DraftNotes.model`."""
        self.job = Job("Segmenting", self)
        self._in_work: list[Image] = []  # the layers that the job is about
        self._add_image_section()
        self._add_model_section()
        self._add_action_section()
        self.mask = MaskControls(self.viewer)
        self.add(self.mask)
        self._add_foot()

        self.closing.connect(self.job.abandon)
        self.job.changed.connect(self._show_state)
        self.image.layer_changed.connect(self._show_image)
        self.image.layer_changed.connect(self._forget_measured)
        connect_while_alive(self, self.viewer.layers.selection.events.changed, self._show_image)
        self._show_image()
        self._show_state()

    def _add_image_section(self) -> None:
        section = self._image_section = self.add_section("Image")
        self.image = LayerChoice(
            self.viewer,
            Image,
            accepts=is_source_image,
            empty="Open an image first",
            counterpart=image_of,
        )
        self.all_selected = QCheckBox("All selected image layers")
        section.add_row("Layer", self.image, "The image layer that is segmented.")
        section.add_wide(
            self.all_selected, "Segment every image layer that is selected in the layer list."
        )
        self.options = ImageOptions(
            section,
            "What to take from a colour image: auto leaves out colours that are overexposed.",
        )
        self.region = RegionControls(section, self.viewer, lambda: self.image.layer)
        self.image.layer_changed.connect(self.region.show)

    def _add_model_section(self) -> None:
        section = self.add_section("")
        self.model = ModelChoice()
        self.vein_width = VeinWidthBox()
        section.add_row("Model", self.model, "The model that finds the veins.")
        section.add_wide(ModelNote(self.model))
        self.suggestion = ModelSuggestion(self.model)
        self.suggestion.appeared.connect(lambda: self.reveal(self.suggestion))
        section.add_wide(self.suggestion)
        section.add_row(
            "Vein width",
            self.vein_width,
            "How wide veins are, in pixels of the image, as the model is told. At 0 it is "
            "measured: three quarters of the width in which the model draws them, so that fine "
            "veins are found, too. How wide the mask's veins are, Measure says in Evaluate.",
        )

    def _add_action_section(self) -> None:
        section = self.add_section("")
        self.segment = button("Se&gment", "Find the veins and show them as a mask.", primary=True)
        self.cancel = button("Cancel", "Stop after the part of the image that is in work.")
        self.folder = button(
            "Folder to files…",
            "Segment all images of a folder without showing them; the masks are written as files "
            "to another folder. To see and correct them, open the folder at the top.",
        )
        self.update_mask = QCheckBox("Update the existing mask, keep my edits")
        self.with_probability = QCheckBox("Add probability layer")
        self.status = Hint()
        section.add_wide(
            self.update_mask,
            "Write into the mask that this image has, except for pixels that you painted; "
            "otherwise every press makes a new layer.",
        )
        section.add_wide(
            self.with_probability, "Also show the model's vein probability, from 0 to 1."
        )
        section.add_wide(self.folder)
        self.segment.clicked.connect(self._segment)
        self.cancel.clicked.connect(self._cancel)
        self.folder.clicked.connect(self._segment_folder)

    def _add_foot(self) -> None:
        foot = Section("")
        foot.add_wide(self.status)
        foot.add_wide(self.suggestion.use)
        foot.add_buttons(self.segment, self.cancel)
        self.add_footer(foot)
        self.focus.pair(self.segment, self.cancel)

    def hold_image(self, held: bool) -> None:
        """Hide the choice of layers and folders while an open folder says which image is meant."""
        self._image_section.set_row_visible(self.image, not held)
        self.all_selected.setVisible(not held)
        self.folder.setVisible(not held)
        self.update_mask.setVisible(not held)

    def leave_image(self, layer: Image) -> None:
        """Stop segmenting an image whose layer shows another one now."""
        self._forget_measured()
        if self._in_work == [layer]:
            self.job.abandon()

    def _forget_measured(self) -> None:
        self.vein_width.show_measured(0.0)  # it was in another image

    # What is shown.

    def _show_image(self, *_event: object) -> None:
        layer = self.image.layer
        self._image_section.set_row_visible(
            self.options.channel, bool(layer is not None and layer.rgb)
        )
        self.all_selected.setEnabled(len(self._selected_images()) > 1)

    def _show_state(self) -> None:
        running = self.job.running
        self.segment.setEnabled(not running)
        self.folder.setEnabled(not running)
        self.cancel.setEnabled(running)
        if not running:
            self.status.clear()
        self.status.setVisible(running)

    def _selected_images(self) -> list[Image]:
        selection = self.viewer.layers.selection
        return [
            layer
            for layer in self.viewer.layers
            if layer in selection and isinstance(layer, Image) and is_source_image(layer)
        ]

    # What is asked for.

    def settings(self) -> SegmentationSettings:
        """Return what the controls say; threshold and smallest component are the model's."""
        return self.options.settings(vein_width=self.vein_width.value() or None)

    def _task(self, layer: Image) -> ImageTask:
        """Describe an image with its own region; of several, each has its own."""
        chosen = layer is self.image.layer
        region = self.region.region() if chosen else region_of_layer(layer)
        settings = replace(self.settings(), region=region)
        return ImageTask.of(layer, settings, self.identify(settings))

    def images(self) -> list[Image]:
        """Return the layers to be segmented."""
        if self.all_selected.isChecked() and self.all_selected.isEnabled():
            return self._selected_images()
        if self.image.layer is None:
            raise VeinSegError(
                "There is no image to segment: open one, or choose File > Open Sample > "
                "Vein segmentation."
            )
        return [self.image.layer]

    # What is done.

    def _segment(self) -> None:
        with reported("Segmenting", self):
            images = [as_image_or_stack(self.viewer, layer) for layer in self.images()]
            tasks = [self._task(layer) for layer in images]
            work = partial(segment_images, tasks, self.model.path)
            if self.job.start(work, self._show_results, self._hear):
                self._in_work = images

    def _segment_folder(self) -> None:
        with reported("Segmenting", self):
            dialog = FolderDialog(self, self.model.path, self.settings())
            dialog.chosen.connect(self._start_folder)
            dialog.open()

    def _start_folder(self, task: FolderTask) -> None:
        work, done = partial(segment_folder, task), partial(show_folder, self.viewer, self)
        if self.job.start(work, done=done, news=self._hear):
            self._in_work = []

    def _cancel(self) -> None:
        self.job.cancel()
        self.cancel.setEnabled(False)
        self.status.setText("Stopping…")

    def _hear(self, news: object) -> None:
        if isinstance(news, Step):
            share = f" ({100 * news.done // news.total} %)" if news.total else ""
            self.status.setText(news.text + share)

    def _show_results(self, results: Results) -> None:
        for result in results.segmented:
            self._show_result(result)
        if results.refused:
            raise VeinSegError(results.refused)

    def _show_result(self, result: Result) -> None:
        image = self._unchanged_image(result.task)
        if image is None:
            return
        if self.with_probability.isChecked():
            add_probability_layer(self.viewer, result.prediction.probability, image)
        layer = self._mask_to_update(image) if self.update_mask.isChecked() else None
        mask, probability = result.prediction.mask, result.prediction.probability
        if layer is None or layer.data.shape != mask.shape:  # the image was swapped
            layer = add_mask_layer(self.viewer, mask, image, probability=probability)
        self._keep(layer, result)
        if not self.vein_width.value():
            self.vein_width.show_measured(result.prediction.settings.vein_width)

    def _mask_to_update(self, image: Image) -> Labels | None:
        """Find the mask that a model made of an image, or one that a person has worked on."""
        mask = mask_in_work(self.viewer, image)
        drawn = mask if mask is not None and edited_pixels(mask).any() else None
        return adjustable_mask(self.viewer, image) or drawn

    def _keep(self, layer: Labels, result: Result) -> None:
        """Make a layer show a result, with all edited pixels as they are."""
        record = record_of(layer)
        prediction = result.prediction
        used = prediction.settings
        doubt = record.notes.doubt  # of the mask before: an image stays among the doubtful ones
        maker = result.task.maker
        notes = DraftNotes(maker, used.threshold, used.min_size, used.vein_width, doubt)
        record.take(prediction.probability, notes)
        has_edits = record.edits.edited.any()
        if not has_edits:  # the mask that the worker made is the one
            apply_changes(layer, differences(layer.data, prediction.mask))
        self.viewer.layers.selection.active = layer
        self.mask.masks.refresh()
        self.mask.masks.choose(layer)
        self.mask.show_mask()
        if has_edits:
            self.mask.update_mask()
        self.segmented.emit()
        if not prediction.mask.any():
            self._warn(
                f"No vein was found in '{layer.name}': lower the threshold below, give the vein "
                "width in pixels, or try another model or channel."
            )

    def _warn(self, text: str) -> None:
        warn(text, "Segmenting", self)

    def _unchanged_image(self, task: ImageTask) -> Any:
        layer = task.layer()
        if layer is None or layer not in self.viewer.layers:
            self._warn(f"'{task.name}' was removed while it was segmented; its mask is dropped.")
            return None
        if image_data(layer) is not task.data:
            self._warn(f"'{task.name}' was changed while it was segmented: press Segment again.")
            return None
        return layer
