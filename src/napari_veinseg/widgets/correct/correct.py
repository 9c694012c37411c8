"""The Correct widget: trace, remove, leave open, clean up, look next, and keep."""

import weakref

import napari
from napari.layers import Image, Labels
from qtpy.QtWidgets import QCheckBox

from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.correct.autosaver import Autosaver, RestoreOffer
from napari_veinseg.widgets.correct.look_next import LookNext
from napari_veinseg.widgets.correct.mask_actions import MaskActions
from napari_veinseg.widgets.correct.reviewing import Reviewing
from napari_veinseg.widgets.correct.target import Target
from napari_veinseg.widgets.correct.toolbox import Toolbox
from napari_veinseg.widgets.masks.agreement import is_agreement_layer
from napari_veinseg.widgets.masks.layers import is_source_image
from napari_veinseg.widgets.masks.records import image_of, record_of


class CorrectWidget(Panel):
    """Choose a mask and correct it on the canvas.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose masks are corrected.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__(viewer)
        self.target = Target(self.viewer, self)
        self.autosaver = Autosaver(self)
        self.offer = RestoreOffer(self.viewer, self.autosaver)
        self.add(self.offer)
        self._add_layers()
        self.toolbox = Toolbox(self.target)
        self.actions = MaskActions(self.target)
        self.actions.line_width = lambda: self.toolbox.width.value() or None
        self.reviewing = Reviewing(self.target)
        self.look_next = LookNext(self.target, self.reviewing.dataset, self.reviewing.is_reviewed)
        for section in (self.toolbox, self.actions, self.look_next):
            self.add(section)
        self.add_footer(self.reviewing)  # never out of sight: it ends every correction
        self.toolbox.add_key("N", self.look_next.next)
        self.toolbox.add_key("R", self.reviewing.reviewed)
        self.reviewing.stored.connect(self._on_stored)
        self.toolbox.active_changed.connect(self.look_next.leave)
        self.closing.connect(self._close)
        self.mask.layer_changed.connect(self._choose)
        self.image.layer_changed.connect(self._choose)
        self.invert.toggled.connect(self._choose)
        self._choose()

    def _add_layers(self) -> None:
        section = self.add_section("Mask")
        self.mask = LayerChoice(
            self.viewer,
            Labels,
            accepts=lambda layer: not is_agreement_layer(layer),
            empty="Segment an image first",
        )
        self.image = LayerChoice(
            self.viewer,
            Image,
            accepts=is_source_image,
            empty="Open an image first",
            follows=False,  # a click on another image would pair it with this mask
        )
        self.image.activated.connect(self._pair)
        self.invert = QCheckBox("Veins are brighter than their surroundings")
        section.add_row("Mask", self.mask, "The Labels layer that is corrected.")
        section.add_row(
            "Image",
            self.image,
            "The image in which the tools look for veins, and which is stored with the mask.",
        )
        section.add_wide(self.invert, "Tick this for images with bright veins on a dark ground.")

    def _choose(self, *_value: object) -> None:
        """Take over what the combo boxes say."""
        mask = self.mask.layer
        of_mask = image_of(mask) if mask is not None else None
        if mask is not self.target.mask and of_mask is not None:
            self.image.choose(of_mask)
        self.target.image, self.target.invert = self.image.layer, self.invert.isChecked()
        if mask is not self.target.mask:
            self.target.mask = mask
            self.look_next.leave()
            self.toolbox.follow_mask()
            self.autosaver.watch(self.target)
        self.actions.show_state()

    def _pair(self, *_value: object) -> None:
        """Let the mask belong to the image that the user has picked."""
        if self.mask.layer is not None and self.image.layer is not None:
            record_of(self.mask.layer).image = weakref.ref(self.image.layer)

    def _on_stored(self, plane: tuple[int, ...]) -> None:
        if self.target.mask is not None:
            self.autosaver.settle(self.target.mask, plane)

    def _close(self) -> None:
        self.autosaver.stop()
        for job in (
            self.target.job,
            self.actions.job,
            self.look_next.job,
            self.look_next.search,
        ):
            job.abandon()
        self.look_next.leave()
        self.toolbox.release()
