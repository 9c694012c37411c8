"""The mask that is corrected, with its image: a plane of both, read and written."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray

from napari_veinseg.correction.change import Change
from napari_veinseg.data.grey import to_grey, without_gaps
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.layer_metadata import (
    accept_pixels,
    edited_pixels,
    has_probability,
    image_of,
    record_of,
)
from napari_veinseg.widgets.masks.layer_placement import require_same_place
from napari_veinseg.widgets.masks.layers import (
    displayed_plane,
    image_data,
    image_shape,
    image_that_covers,
    probability_over,
    topmost_image,
)
from napari_veinseg.widgets.masks.showing import set_visible
from napari_veinseg.widgets.masks.undo import require_editable, write_pixels

PlaneIndex = tuple[int, ...]
"""Which `(Y, X)` plane of a layer: empty for `(Y, X)`, one number for a stack."""


class EditedMask:
    """The chosen mask layer and its image."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self.viewer = viewer
        self.layer: Labels | None = None
        self.image: Image | None = None
        self.invert = False

    def require_layer(self) -> Labels:
        """Return the mask layer, or refuse one that cannot be edited."""
        if self.layer is None:
            raise VeinSegError("Segment an image or add a Labels layer first: nothing to correct.")
        require_editable(self.layer)
        return self.layer

    def bring_in_sight(self) -> Labels:
        """Show and return the mask layer, or refuse one under another image: none draws blind."""
        layer = self.require_layer()
        over = image_that_covers(self.viewer, layer)
        if over is not None:
            raise VeinSegError(
                f"The image '{over.name}' lies over the mask '{layer.name}': close or hide it, or "
                "choose a mask of its own."
            )
        self._show(layer)
        return layer

    def _show(self, layer: Labels) -> None:
        """Show a mask, and its image first where another one is seen: it is no mask of that."""
        image, seen = image_of(layer), topmost_image(self.viewer)
        if image is not None and seen is not None and image in self.viewer.layers:
            set_visible(image, True)
        set_visible(layer, True)

    def displayed_plane(self) -> PlaneIndex:
        """Return the plane that the viewer shows."""
        return displayed_plane(self.viewer, self.require_layer())

    def shows(self, layer: Labels | None, plane: PlaneIndex) -> bool:
        """Say whether this layer is still the chosen one, and the viewer shows this plane of it."""
        with suppress(VeinSegError):  # nothing is displayed in 3D
            return self.layer is layer and self.displayed_plane() == plane
        return False

    def list_planes(self) -> list[PlaneIndex]:
        """Return all planes of the mask."""
        return list(np.ndindex(self.require_layer().data.shape[:-2]))

    def labels(self, plane: PlaneIndex) -> NDArray[Any]:
        """Return the labels of a plane, `(Y, X)`: a view, not to be changed."""
        return np.asarray(self.require_layer().data[plane])

    def edited(self, plane: PlaneIndex) -> NDArray[np.bool_]:
        """Return which pixels of a plane the user painted or accepted."""
        return edited_pixels(self.require_layer())[plane]

    def write(
        self,
        changes: dict[PlaneIndex, Change],
        decided: dict[PlaneIndex, NDArray[np.bool_]] | None = None,
    ) -> int:
        """Write changes as exactly one undo step, and return how many pixels changed.

        What is `decided` becomes the user's, too, where it does not change: all of a drawn vein.
        """
        layer, step = self.require_layer(), None
        self._show(layer)  # its eye may have been closed over a tool in use
        changes = {plane: change for plane, change in changes.items() if len(change)}
        if changes:
            index = _join(changes, [(each.rows, each.columns) for each in changes.values()])
            values = np.concatenate([change.values for change in changes.values()])
            step = write_pixels(layer, index, values)
        if decided:
            places = [np.nonzero(region) for region in decided.values()]
            accept_pixels(layer, _join(decided, places), step)
        return sum(map(len, changes.values()))

    def find_probability(self) -> Any:
        """Return what the mask was made from, else the probability over its image, else None."""
        layer = self.require_layer()
        if has_probability(layer):
            return record_of(layer).probability
        shown = probability_over(self.viewer, self.image)
        return shown if shown is not None and shown.shape == layer.data.shape else None

    def probability(self, plane: PlaneIndex) -> NDArray[np.float32] | None:
        """Return the model's probability for a plane, if it is known."""
        whole = self.find_probability()
        return None if whole is None else np.asarray(whole[plane], np.float32)

    def threshold(self) -> float:
        """Return the probability from which a pixel of the mask is vein."""
        return float(record_of(self.require_layer()).notes.threshold)

    def image_data(self) -> Any:
        """Return the image's own array, or refuse one that does not fit the mask."""
        layer = self.require_layer()
        if self.image is None:
            raise VeinSegError("Open the image that the mask belongs to: it is read for this.")
        if image_shape(self.image) != tuple(layer.data.shape):
            raise VeinSegError(
                f"The image '{self.image.name}' and the mask '{layer.name}' differ in size: "
                "choose the image that the mask was made on."
            )
        require_same_place(layer, self.image)
        return image_data(self.image)

    def grey_reader(self) -> Callable[[PlaneIndex], NDArray[np.float32]]:
        """Return what reads the grey values of a plane, veins dark, also beside the viewer."""
        stored, invert = self.image_data(), self.invert
        return lambda plane: without_gaps(to_grey(np.asarray(stored[plane]), invert=invert))

    def require_own_image(self) -> None:
        """Refuse to take one image's mask for another's."""
        layer = self.require_layer()
        made_on = record_of(layer).image
        if made_on is not None and self.image is not None and made_on() is not self.image:
            raise VeinSegError(
                f"The mask '{layer.name}' was not made on the image '{self.image.name}': "
                "pick its image under Image."
            )


def _join(planes: Iterable[PlaneIndex], places: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Turn places in planes into one index of the whole mask."""
    full = [
        (*(np.full(len(rows), axis) for axis in plane), rows, columns)
        for plane, (rows, columns) in zip(planes, places, strict=True)
    ]
    return tuple(np.concatenate(axis) for axis in zip(*full, strict=True))
