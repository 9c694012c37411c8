"""What is on the screen: the image of the open folder, or another one that lies over it."""

from typing import Any

import napari
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.widgets.common.form import connect_while_alive
from napari_veinseg.widgets.masks.error_layer import is_agreement_layer
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.masks.layers import mask_in_work, masks_of, topmost_image
from napari_veinseg.widgets.workbench.folder_navigation import FolderSession
from napari_veinseg.widgets.workbench.view_controls import image_and_mask


class OnScreen(QObject):
    """The image and the mask that a person sees, whoever has opened them."""

    changed = Signal()
    """Another image lies uppermost, or what is known of one that is not the folder's changed."""

    def __init__(self, viewer: napari.Viewer, session: FolderSession) -> None:
        super().__init__(session)
        self._viewer, self._session = viewer, session
        for layer in viewer.layers:
            self._watch(layer)
        events = viewer.layers.events
        connect_while_alive(self, events.inserted, self._on_inserted)
        for emitter in (events.removed, events.reordered):
            connect_while_alive(self, emitter, self._look)
        self._known = self._facts()
        for signal in (self.changed, session.arrived):
            signal.connect(self._renew_status_bar)

    @property
    def other(self) -> Image | None:
        """The image that lies over that of the open folder; None where that one is in sight."""
        session = self._session
        top = topmost_image(self._viewer) if session.folder is not None else None
        return None if session.shown is not None and top is session.shown.image else top

    @property
    def image(self) -> Image | None:
        """The image that is meant."""
        return self._pair()[0]

    @property
    def mask(self) -> Labels | None:
        """Its mask, as far as one may work on it."""
        return self._pair()[1]

    @property
    def is_judged(self) -> bool:
        """Whether the other image was opened with a truth, to show what is drawn wrong on it."""
        return any(record_of(layer).evaluated for layer in masks_of(self._viewer, self.other))

    @property
    def errors(self) -> Labels | None:
        """The errors that are shown on the other image, if any are."""
        shown = next((each for each in reversed(self._viewer.layers) if each.visible), None)
        return shown if self.is_judged and is_agreement_layer(shown) else None

    @property
    def state(self) -> str:
        """How far the work on the image is, of the folder's or of the other."""
        if self.other is None:
            return str(self._session.state or "")
        if self.is_judged:
            return "errors"
        mask = self.mask
        if mask is None:
            return str(ImageState.NEW)
        return str(ImageState.EDITED if edited_pixels(mask).any() else ImageState.SEGMENTED)

    def _pair(self) -> tuple[Image | None, Labels | None]:
        other, shown = self.other, self._session.shown
        if other is not None:
            return other, mask_in_work(self._viewer, other)
        if shown is not None:
            return shown.image, shown.mask
        return image_and_mask(self._viewer)

    # What changes it.

    def _watch(self, layer: Layer) -> None:
        connect_while_alive(self, layer.events.visible, self._look)
        if isinstance(layer, Labels):  # behind its record, which knows the stroke by then
            connect_while_alive(self, layer.events.paint, self._look, position="last")

    def _on_inserted(self, event: Any) -> None:
        self._watch(event.value)
        self._look()

    def _look(self, *_event: object) -> None:
        facts = self._facts()
        if facts != self._known:
            self._known = facts
            self.changed.emit()

    def _renew_status_bar(self) -> None:
        """Have napari name what lies under the cursor now: it looks when that has moved."""
        cursor = self._viewer.cursor
        cursor.events.position(value=cursor.position)

    def _facts(self) -> tuple[object, ...]:
        """Return what tells one sight from another, by names that hold no layer alive."""
        other, errors = self.other, self.errors
        if other is None:
            return ()
        return id(other), errors.name if errors is not None else "", id(self.mask), self.state
