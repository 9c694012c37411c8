"""The Correct widget: trace, remove, leave open, clean up, look next, and keep."""

import weakref
from collections.abc import Callable
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from qtpy.QtWidgets import QCheckBox

from napari_veinseg.data.labels import BACKGROUND
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.collapsible import Fold
from napari_veinseg.widgets.common.form import button
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.correct.autosaver import Autosaver
from napari_veinseg.widgets.correct.doubtful_places import DoubtfulPlaces
from napari_veinseg.widgets.correct.edited_mask import EditedMask
from napari_veinseg.widgets.correct.image_order import ImageOrder
from napari_veinseg.widgets.correct.line_actions import LineActions
from napari_veinseg.widgets.correct.mask_actions import MaskActions
from napari_veinseg.widgets.correct.mask_work import MaskWork
from napari_veinseg.widgets.correct.restore_offer import RestoreOffer
from napari_veinseg.widgets.correct.reviewing import Reviewing
from napari_veinseg.widgets.correct.toolbox import Toolbox
from napari_veinseg.widgets.correct.tracing_cache import TracingCache
from napari_veinseg.widgets.masks.error_layer import is_agreement_layer
from napari_veinseg.widgets.masks.layer_metadata import image_of, record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer, image_shape, is_source_image
from napari_veinseg.widgets.masks.undo import write_pixels


class CorrectWidget(Panel):
    """Choose a mask and correct it on the canvas."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.edited_mask = EditedMask(self.viewer)
        self.find_pair: Callable[[], tuple[Image | None, Labels | None]] = lambda: (
            self.image_choice.layer,
            None,
        )
        """The image that a new mask is for, and the mask to empty where it may have but one."""
        self.tracing = TracingCache(self.edited_mask, self)
        self.work = MaskWork(self.edited_mask, self)
        self.autosaver = Autosaver(self.viewer, self)
        self.offer = RestoreOffer(self.viewer, self.autosaver)
        self.add(self.offer)
        self._add_layers()
        self.mask_actions = MaskActions(self.edited_mask, self.work)
        self.toolbox = Toolbox(self.edited_mask, self.tracing, self.mask_actions)
        self.line_actions = LineActions(
            self.edited_mask, self.tracing, self.work, self.toolbox.fixed_width
        )
        self.reviewing = Reviewing(self.edited_mask)
        self.image_order = ImageOrder(self.edited_mask, self.reviewing)
        self.doubtful_places = DoubtfulPlaces(self.edited_mask, lambda: self.image_order.model.path)
        self.add(self.toolbox)
        self.add(self.doubtful_places)
        self._order_fold = Fold(
            "Images by doubt",
            "Show a list of the images, the most doubtful first.",
            self.image_order,
        )
        self.add(self._order_fold)
        self.add(
            Fold(
                "Whole mask",
                "Show what cleans up, moves or redraws all veins at once.",
                self.mask_actions,
                self.line_actions,
            )
        )
        self.add_footer(self.reviewing)  # never out of sight: it ends every correction
        self.toolbox.add_key("N", self.doubtful_places.next)
        for key, decision in zip("YWQ", self.doubtful_places.decisions, strict=True):
            self.toolbox.add_key(key, decision)
        self.toolbox.add_key("R", self.reviewing.reviewed)
        self.reviewing.stored.connect(self.autosaver.settle)
        self.toolbox.active_changed.connect(self.doubtful_places.leave)
        self.toolbox.active_changed.connect(self._reveal_toolbox)
        self.doubtful_places.asked.connect(lambda: self.reveal(self.doubtful_places))
        self.closing.connect(self._close)
        self.mask_choice.layer_changed.connect(self._choose)
        self.image_choice.layer_changed.connect(self._choose)
        self.invert.toggled.connect(self._choose)
        self._choose()

    def _add_layers(self) -> None:
        section = self._layers_section = self.add_section("Mask")
        self.mask_choice = LayerChoice(
            self.viewer,
            Labels,
            accepts=lambda layer: not is_agreement_layer(layer),
            empty="Segment an image first",
        )
        self.image_choice = LayerChoice(
            self.viewer,
            Image,
            accepts=is_source_image,
            empty="Open an image first",
            follows=False,  # a click on another image would pair it with this mask
        )
        self.image_choice.activated.connect(self._pair)
        self.invert = QCheckBox("Veins are brighter than their surroundings")
        self.new_mask = button(
            "New",
            "Begin with an empty mask over the image; the mask that an image of an open folder has "
            "is emptied, until Ctrl-Z.",
        )
        self.new_mask.clicked.connect(self._add_empty_mask)
        section.add_row(
            "Mask", self.mask_choice, "The Labels layer that is corrected.", self.new_mask
        )
        section.add_row(
            "Image",
            self.image_choice,
            "The image in which the tools look for veins, and which is stored with the mask.",
        )
        section.add_wide(self.invert, "Tick this for images with bright veins on a dark ground.")

    def _choose(self, *_value: Any) -> None:
        """Take over what the combo boxes say."""
        layer = self.mask_choice.layer
        of_mask = image_of(layer) if layer is not None else None
        if layer is not self.edited_mask.layer and of_mask is not None:
            self.image_choice.choose(of_mask)
        self.edited_mask.image = self.image_choice.layer
        self.edited_mask.invert = self.invert.isChecked()
        if layer is not self.edited_mask.layer:
            self.edited_mask.layer = layer
            self.doubtful_places.follow_mask()
            self.toolbox.follow_mask()
            if layer is not None:
                self.autosaver.watch(layer, self.edited_mask.image)
        self.mask_actions.show_state()

    def _reveal_toolbox(self, *_tool: object) -> None:
        """Bring what the tool that was just taken says into sight."""
        if self.toolbox.active is not None:
            self.reveal(self.toolbox)

    def hold_image(self, held: bool) -> None:
        """Hide what an open folder decides: the image, how it is read, where it is stored."""
        self._layers_section.set_row_visible(self.image_choice, not held)
        for part in (self.invert, self._order_fold, self.reviewing):
            part.setVisible(not held)

    def follow_data(self) -> None:
        """Drop what was begun on an image whose layers show another one now."""
        self.toolbox.begin_anew()
        self.doubtful_places.follow_mask()

    def _add_empty_mask(self) -> None:
        """Put an empty mask over the image that is meant, or empty the only one it may have."""
        with reported("Making an empty mask", self):
            image, mask = self.find_pair()
            if image is None:
                raise VeinSegError("Open an image first: the mask gets its size and place.")
            if mask is None:
                mask = add_mask_layer(self.viewer, np.zeros(image_shape(image), np.uint8), image)
            else:
                write_pixels(mask, mask.data != BACKGROUND, BACKGROUND)
                self.toolbox.message.show_text("Emptied; undo (Ctrl-Z) brings the veins back.")
            self.viewer.layers.selection.active = mask

    def _pair(self, *_value: Any) -> None:
        """Let the mask belong to the image that the user has picked."""
        if self.mask_choice.layer is not None and self.image_choice.layer is not None:
            record_of(self.mask_choice.layer).image = weakref.ref(self.image_choice.layer)

    def _close(self) -> None:
        self.autosaver.stop()
        for worker in (self.tracing, self.work, self.image_order, self.doubtful_places):
            worker.job.abandon()
        self.doubtful_places.leave()
        self.toolbox.release()
