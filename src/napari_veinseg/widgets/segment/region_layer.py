"""The Shapes layer in which a region of interest is drawn, shown and changed."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Shapes
from napari.layers.base import ActionType
from qtpy.QtCore import QObject, QTimer, Signal

from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.region import Region
from napari_veinseg.widgets.common.canvas import spare_empty
from napari_veinseg.widgets.common.form import connect_while_alive
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.masks.layer_metadata import Derived, derived_metadata, is_derived
from napari_veinseg.widgets.masks.layers import image_shape, insert_inactive, plane_attributes

NAME = "region of interest"
COLOUR = "#ffc233"
_ENDED = (ActionType.ADDED, ActionType.CHANGED, ActionType.REMOVED)


class RegionLayer(QObject):
    """At most one layer, over the image that is meant, with at most one shape."""

    drawn = Signal(object)
    """The user has drawn, changed or removed it: carries a Region or None."""

    def __init__(self, viewer: napari.Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._image: Image | None = None
        self._region: Region | None = None
        self._busy = False  # what changes is our own doing
        connect_while_alive(self, viewer.layers.events.removed, self._hear_removed)

    def show(self, image: Image | None, region: Region | None) -> None:
        """Show the region of an image, or none."""
        self._image, self._region = image, region
        layer = self._layer()
        if image is None or region is None:
            if layer is not None:
                self._remove(layer)
            return
        self._fill(self._placed(image, layer), region)

    def draw(self, image: Image, shape: str) -> None:
        """Let the user draw a rectangle or a polygon on an image."""
        self._image = image
        layer = self._placed(image, self._layer())
        self._viewer.layers.selection.active = layer
        layer.mode = f"add_{shape}"

    def _layer(self) -> Shapes | None:
        layers = self._viewer.layers
        return next((each for each in layers if is_derived(each, Derived.REGION)), None)

    def _placed(self, image: Image, layer: Shapes | None) -> Shapes:
        """Return the layer, in the place of an image, or make it."""
        place = plane_attributes(image, [image.ndim - 2, image.ndim - 1])
        if layer is not None:
            for name, value in place.items():
                setattr(layer, name, value)
            return layer
        layer = Shapes(
            ndim=2,
            name=NAME,
            edge_color=COLOUR,
            face_color="transparent",
            edge_width=max(1.0, min(image_shape(image)[-2:]) / 250),
            metadata=derived_metadata(Derived.REGION),
            **place,
        )
        layer.events.data.connect(self._hear_data)
        layer.mouse_drag_callbacks.insert(0, _hold_to_mouse)
        insert_inactive(self._viewer, len(self._viewer.layers), layer)
        spare_empty(self._viewer, layer)
        return layer

    def _fill(self, layer: Shapes, region: Region) -> None:
        corners = np.array([(y, x) for x, y in region.corners])
        shape = "rectangle" if len(corners) == 2 else "polygon"
        self._busy = True
        if len(layer.data):
            layer.selected_data = set(range(len(layer.data)))
            layer.remove_selected()
        layer.add(corners, shape_type=shape, edge_color=COLOUR, face_color="transparent")
        layer.selected_data = set()
        self._busy = False

    def _remove(self, layer: Shapes) -> None:
        self._busy = True
        self._viewer.layers.remove(layer)
        self._busy = False

    def _hear_data(self, event: object) -> None:
        if not self._busy and getattr(event, "action", None) in _ENDED:
            QTimer.singleShot(0, self._take)  # napari is not done with its own event yet

    def _hear_removed(self, event: object) -> None:
        layer = getattr(event, "value", None)
        if not self._busy and layer is not None and is_derived(layer, Derived.REGION):
            QTimer.singleShot(0, self._take_removed)

    def _take_removed(self) -> None:
        """Forget the region if the user has removed its layer alone, not closed the image."""
        if self._image in self._viewer.layers and self._layer() is None:
            self.drawn.emit(None)

    def _take(self) -> None:
        """Make the last shape the region; one that is none goes, and the region before stays."""
        layer, image = self._layer(), self._image
        if layer is None or image is None or self._busy:
            return
        with reported("Taking the region", self):
            try:
                region = _region_of(layer)
                if region is not None:
                    region.window(image_shape(image))
            except VeinSegError:
                mode = str(layer.mode)
                self.show(image, self._region)
                if mode.startswith("add_"):  # as it was asked for: the next drag may be better
                    self.draw(image, mode.removeprefix("add_"))
                raise
            if layer.mode.startswith("add_"):
                layer.mode = "select"  # the next drag changes it instead of drawing another
            self.drawn.emit(region)


def _hold_to_mouse(layer: Shapes, event: Any) -> Iterator[None]:
    """Let a corner lie where it is clicked, and a rectangle end where the button is let go.

    Napari lets them lie where the mouse was last seen to move, and passes over moves that follow
    each other in a few milliseconds: of quick hands, and in a busy viewer, corners were lost.
    """
    for follow in layer.mouse_move_callbacks:
        follow(layer, event)
    yield
    while event.type == "mouse_move":
        yield
    if layer.mode == "add_rectangle":
        # Private to napari: without it a rectangle that is dragged fast is lost.
        with suppress(ImportError):
            from napari.layers.shapes import _shapes_mouse_bindings as napari_does

            place = layer.world_to_data(event.position)
            napari_does._move_active_element_under_cursor(layer, place)


def _region_of(layer: Shapes) -> Region | None:
    """Read the last shape; a rectangle that was turned is a polygon."""
    if not len(layer.data):
        return None
    corners = np.round(np.asarray(layer.data[-1], np.float64)[:, ::-1], 1)
    low, high = corners.min(axis=0), corners.max(axis=0)
    upright = all(np.isin(corners[:, axis], (low[axis], high[axis])).all() for axis in (0, 1))
    if layer.shape_type[-1] == "rectangle" and upright:
        corners = np.stack([low, high])
    return Region(tuple((float(x), float(y)) for x, y in corners))
