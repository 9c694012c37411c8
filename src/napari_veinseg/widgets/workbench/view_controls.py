"""Ways to see the veins: local contrast, outline, blinking and opacity, for the shown image."""

from collections.abc import Callable
from functools import partial

import napari
import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QSlider, QWidget

from napari_veinseg.data.contrast import enhance_contrast
from napari_veinseg.widgets.common.form import button, connect_while_alive, explain, row
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.masks.layer_metadata import (
    Derived,
    derived_metadata,
    image_of,
    is_derived,
)
from napari_veinseg.widgets.masks.layers import (
    image_data,
    insert_inactive,
    is_source_image,
    masks_of,
    spatial_attributes,
)
from napari_veinseg.widgets.masks.showing import set_visible

ENHANCE_KEY, OUTLINE_KEY, BLINK_KEY, FAINTER_KEY, STRONGER_KEY = "H", "O", "K", "9", "0"
_BLINK = 450  # ms
_OPACITY_STEP = 10  # percent
_OUTLINE = 2  # px of the image


class ViewControls(QWidget):
    """Acts on the image that is meant and on its mask; never on what is segmented."""

    def __init__(
        self,
        viewer: napari.Viewer,
        image: Callable[[], Image | None],
        mask: Callable[[], Labels | None],
    ) -> None:
        super().__init__()
        self._viewer, self._image, self._mask = viewer, image, mask
        toggle = partial(button, checkable=True)
        self.enhance = toggle(
            f"Enhance ({ENHANCE_KEY})", "Show more local contrast; only the display changes."
        )
        self.outline = toggle(f"Outline ({OUTLINE_KEY})", "Show the mask as an outline.")
        self.blink = toggle(f"Blink ({BLINK_KEY})", "Let the mask come and go, to see below it.")
        self.opacity = QSlider(Qt.Orientation.Horizontal, minimum=5, maximum=100, value=70)
        self.opacity.setMinimumWidth(50)
        explain(
            self.opacity,
            f"How much the mask covers the image (keys {FAINTER_KEY} fainter, {STRONGER_KEY} "
            "stronger).",
        )
        self.opacity.setAccessibleName("Opacity of the mask")
        parts = (self.enhance, self.outline, self.blink, self.opacity)
        self.setLayout(row(*parts, stretch=(0, 0, 0, 1), margins=(10, 2, 10, 4)))
        self._job = Job("Enhancing the contrast", self)
        self._source: object | None = None  # the pixels whose contrast is shown
        self._hidden: Labels | None = None  # by blinking
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self.enhance.toggled.connect(self.apply)
        self.outline.toggled.connect(self.apply)
        self.opacity.valueChanged.connect(self.apply)
        self.blink.toggled.connect(self._set_blinking)
        connect_while_alive(self, viewer.layers.events.inserted, self.apply)
        connect_while_alive(self, viewer.layers.selection.events.active, self.apply)

    def apply(self, *_event: object) -> None:
        """Show the image and the mask that are meant now as the controls say."""
        mask = self._mask()
        if mask is not None:
            contour = _OUTLINE if self.outline.isChecked() else 0
            if mask.contour != contour:
                mask.contour = contour
            if mask.opacity != self.opacity.value() / 100:
                mask.opacity = self.opacity.value() / 100
        self._show_enhanced(self._image())

    def fade(self, steps: int) -> None:
        """Let the mask cover the image more, or by a negative number less."""
        self.opacity.setValue(self.opacity.value() + steps * _OPACITY_STEP)

    def stop(self) -> None:
        """End all work, and leave the layers as they are, but none hidden by blinking."""
        self.blink.setChecked(False)
        self._job.abandon()

    def _show_enhanced(self, image: Image | None) -> None:
        layer = self._enhanced()
        if image is None or image.ndim != 2 or not self.enhance.isChecked():
            if layer is not None:
                self._viewer.layers.remove(layer)
            self._source = None
            return
        pixels = image_data(image)
        if layer is not None and self._source is not pixels:
            set_visible(layer, False)  # it shows another image
        if (layer is not None and self._source is pixels) or self._job.running:
            return
        self._job.start(
            lambda _reporter: enhance_contrast(pixels),
            lambda shown: self._add(image, pixels, shown),
        )

    def _enhanced(self) -> Image | None:
        layers = self._viewer.layers
        return next((each for each in layers if is_derived(each, Derived.ENHANCED)), None)

    def _add(self, image: Image, pixels: object, shown: NDArray[np.uint8]) -> None:
        if not self.enhance.isChecked() or image not in self._viewer.layers:
            return
        if image_data(image) is not pixels or image is not self._image():
            self.apply()  # another one is meant by now
            return
        self._source = pixels
        layers, layer = self._viewer.layers, self._enhanced()
        if layer is not None:
            at_place = layers.index(layer) == layers.index(image) + 1
            if at_place and layer.data.shape == shown.shape:
                layer.data, layer.visible = shown, True
                return
            layers.remove(layer)
        layer = Image(
            shown,
            name="enhanced",
            metadata=derived_metadata(Derived.ENHANCED),
            **spatial_attributes(image),
        )
        # The one that was removed may have lain below the image.
        insert_inactive(self._viewer, layers.index(image) + 1, layer)

    def _set_blinking(self, on: bool) -> None:
        if on:
            self._timer.start(_BLINK)
        else:
            self._timer.stop()
            if self._hidden is not None:
                self._turn()

    def _turn(self) -> None:
        """Hide the mask, or show what was hidden, even if another mask is meant by now."""
        hidden = self._hidden
        self._hidden = self._mask() if hidden is None else None
        if hidden is not None:
            set_visible(hidden, True)
        elif self._hidden is not None:
            set_visible(self._hidden, False)


def image_and_mask(viewer: napari.Viewer) -> tuple[Image | None, Labels | None]:
    """Find the image that is meant when no folder is open, and its mask: by the active layer."""
    active = viewer.layers.selection.active
    of_active = image_of(active) if active is not None else None
    if isinstance(active, Labels) and of_active is not None:
        return of_active, active
    images = [each for each in viewer.layers if isinstance(each, Image) and is_source_image(each)]
    image = active if active in images else (images[-1] if images else None)
    return image, next(masks_of(viewer, image), None)
