"""What is being corrected: a plane of a mask layer and of its image, read and written."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_veinseg.correction.change import Change
from napari_veinseg.correction.tracing import Cost, path_cost
from napari_veinseg.data.grey import to_grey, without_gaps
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.tiling.vein_width import estimate_vein_width
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.masks.layers import displayed_plane, image_shape, is_probability_layer
from napari_veinseg.widgets.masks.records import edited_pixels, record_of
from napari_veinseg.widgets.masks.undo import require_editable, write_pixels

Plane = tuple[int, ...]
_KEPT_PLANES = 4


@dataclass(frozen=True)
class Valleys:
    """What tracing needs of one plane of an image.

    Parameters
    ----------
    grey : ndarray of float32
        `(Y, X)`, veins dark.
    cost : ndarray of float32
        `(Y, X)`, see `correction.tracing.path_cost`.
    vein_width : float
        Typical vein width in px.
    """

    grey: NDArray[np.float32]
    cost: Cost
    vein_width: float


class Target(QObject):
    """The chosen mask and image.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that shows them.
    parent : QObject
        The widget it belongs to.
    """

    ready = Signal()
    """The valleys of a plane can be had now."""

    def __init__(self, viewer: napari.Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.mask: Labels | None = None
        self.image: Image | None = None
        self.invert = False
        self.vein_width: float | None = None
        self.job = Job("Preparing to trace", self)
        self._valleys: OrderedDict[Any, Valleys] = OrderedDict()

    def layer(self) -> Labels:
        """Return the mask layer.

        Returns
        -------
        Labels
            A layer that can be written.

        Raises
        ------
        VeinSegError
            When there is none, or it cannot be edited.
        """
        if self.mask is None:
            raise VeinSegError("Segment an image or add a Labels layer first: nothing to correct.")
        require_editable(self.mask)
        return self.mask

    def plane(self) -> Plane:
        """Return the index of the displayed plane in the mask.

        Returns
        -------
        tuple of int
            Empty for `(Y, X)`, one number for a stack.
        """
        return displayed_plane(self.viewer, self.layer())

    def planes(self, all_of_them: bool) -> list[Plane]:
        """List the planes that an action is meant for.

        Parameters
        ----------
        all_of_them : bool
            All planes of the stack, or the displayed one.

        Returns
        -------
        list of tuple of int
            Their indices.
        """
        if not all_of_them:
            return [self.plane()]
        return list(np.ndindex(self.layer().data.shape[:-2]))

    def labels(self, plane: Plane) -> NDArray[Any]:
        """Return the labels of a plane.

        Parameters
        ----------
        plane : tuple of int
            Its index.

        Returns
        -------
        ndarray
            `(Y, X)`, a view: not to be changed.
        """
        return np.asarray(self.layer().data[plane])

    def edited(self, plane: Plane) -> NDArray[np.bool_]:
        """Return the pixels of a plane that the user painted or accepted.

        Parameters
        ----------
        plane : tuple of int
            Its index.

        Returns
        -------
        ndarray of bool
            `(Y, X)`.
        """
        return edited_pixels(self.layer())[plane]

    def write(self, changes: dict[Plane, Change]) -> int:
        """Write changes as exactly one undo step.

        Parameters
        ----------
        changes : dict
            What changes in each plane.

        Returns
        -------
        int
            How many pixels changed.
        """
        changes = {plane: change for plane, change in changes.items() if len(change)}
        if not changes:
            return 0
        indices = [
            np.concatenate([np.full(len(change), plane[axis]) for plane, change in changes.items()])
            for axis in range(len(next(iter(changes))))
        ]
        parts = list(changes.values())
        indices.append(np.concatenate([change.rows for change in parts]))
        indices.append(np.concatenate([change.columns for change in parts]))
        values = np.concatenate([change.values for change in parts])
        write_pixels(self.layer(), tuple(indices), values)
        return len(values)

    def probability(self, plane: Plane) -> NDArray[np.float32] | None:
        """Return the model's probability for a plane.

        Parameters
        ----------
        plane : tuple of int
            Its index.

        Returns
        -------
        ndarray of float32 or None
            What the mask was made from, or a probability layer of the same shape.
        """
        shape = self.layer().data.shape
        kept = record_of(self.layer()).probability
        if kept is not None and kept.shape == shape:
            return kept[plane]
        for layer in reversed(self.viewer.layers):
            if is_probability_layer(layer) and layer.data.shape == shape:
                return np.asarray(layer.data[plane], np.float32)
        return None

    def threshold(self) -> float:
        """Return the probability from which a pixel of the mask is vein.

        Returns
        -------
        float
            In (0, 1).
        """
        return record_of(self.layer()).threshold

    def pixels(self, plane: Plane) -> NDArray[Any]:
        """Return a plane of the image as it is stored.

        Parameters
        ----------
        plane : tuple of int
            Its index.

        Returns
        -------
        ndarray
            `(Y, X)` or `(Y, X, 3 or 4)`.

        Raises
        ------
        VeinSegError
            When there is no image of the mask's shape.
        """
        return np.asarray(self._stored()[plane])

    def reader(self) -> Callable[[Plane], NDArray[np.float32]]:
        """Return what reads planes of the image, also beside the viewer.

        Returns
        -------
        callable
            Takes a plane's index, gives its grey values with dark veins, `(Y, X)`, all finite.

        Raises
        ------
        VeinSegError
            When there is no image of the mask's shape.
        """
        stored, invert = self._stored(), self.invert
        return lambda plane: without_gaps(to_grey(np.asarray(stored[plane]), invert=invert))

    def _stored(self) -> Any:
        if self.image is None:
            raise VeinSegError("Open the image that the mask belongs to: it is read for this.")
        if image_shape(self.image) != tuple(self.layer().data.shape):
            raise VeinSegError(
                f"The image '{self.image.name}' and the mask '{self.layer().name}' differ in "
                "size: choose the image that the mask was made on."
            )
        return self.image.data[0] if self.image.multiscale else self.image.data

    def require_pair(self) -> None:
        """Refuse to take one image's mask for another's.

        Raises
        ------
        VeinSegError
            When the mask was made on an image that is not the chosen one.
        """
        made_on = record_of(self.layer()).image
        if made_on is not None and self.image is not None and made_on() is not self.image:
            raise VeinSegError(
                f"The mask '{self.layer().name}' was not made on the image '{self.image.name}': "
                "pick its image under Image."
            )

    def typical_width(self) -> float:
        """Return the typical vein width.

        Returns
        -------
        float
            In px: what was chosen, else measured, else a guess.
        """
        if self.vein_width is not None:
            return self.vein_width
        latest = next(reversed(self._valleys.values()), None)
        return latest.vein_width if latest else 6.0

    def valleys(self, plane: Plane) -> Valleys | None:
        """Return what tracing needs, or begin to prepare it and tell `ready` later.

        Parameters
        ----------
        plane : tuple of int
            The plane's index.

        Returns
        -------
        Valleys or None
            None while it is being prepared.
        """
        key = self._key(plane)
        if key in self._valleys:
            self._valleys.move_to_end(key)
            return self._valleys[key]
        pixels, probability = self.pixels(plane), self.probability(plane)
        invert, width = self.invert, self.vein_width
        if not self.job.running:
            self.job.start(
                lambda _reporter: _prepared(pixels, probability, invert, width),
                lambda valleys: self._keep(key, valleys),
            )
        return None

    def _key(self, plane: Plane) -> Any:
        probability = record_of(self.layer()).probability
        return plane, id(self.image), id(probability), self.invert, self.vein_width

    def _keep(self, key: Any, valleys: Valleys) -> None:
        self._valleys[key] = valleys
        while len(self._valleys) > _KEPT_PLANES:
            self._valleys.popitem(last=False)
        self.ready.emit()


def _prepared(
    pixels: NDArray[Any],
    probability: NDArray[np.float32] | None,
    invert: bool,
    vein_width: float | None,
) -> Valleys:
    grey = to_grey(pixels, invert=invert)
    width = vein_width or estimate_vein_width(grey)
    return Valleys(grey, path_cost(grey, width, probability), width)
