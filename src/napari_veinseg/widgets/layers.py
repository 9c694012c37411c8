"""Mask layers: made over an image in the same place, and watched for the user's edits."""

import weakref
from dataclasses import dataclass, replace
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap

from napari_veinseg.correction.edits import EditTracker, Pixels
from napari_veinseg.errors import VeinSegError

VEIN, UNSURE = 1, 2
VEIN_COLOUR = "#ff4b7d"
UNSURE_COLOUR = "#ffc233"
_KEY = "veinseg"

BoolArray = npt.NDArray[np.bool_]
Mask = npt.NDArray[np.uint8]


@dataclass
class MaskRecord:
    """What the plugin knows of one mask layer; it lies in the layer's metadata.

    Parameters
    ----------
    layer : weakref to Labels
        The layer that the record belongs to: a duplicated layer shares its metadata.
    edits : EditTracker
        The pixels that the user painted or accepted.
    image : weakref to Image or None
        The image layer that was segmented.
    probability : ndarray or None
        `float32`, the mask's shape: what the mask was made from.
    threshold : float
        The probability from which a pixel of the mask is vein.
    min_size : int
        The smallest component of the mask in px.
    """

    layer: "weakref.ref[Labels]"
    edits: EditTracker
    image: "weakref.ref[Image] | None" = None
    probability: npt.NDArray[np.float32] | None = None
    threshold: float = 0.5
    min_size: int = 0


def spatial_attributes(layer: Layer) -> dict[str, Any]:
    """Return what puts another layer of the same shape exactly where this one is.

    Parameters
    ----------
    layer : Layer
        Usually an image; an RGB image's colour axis is not among its dimensions.

    Returns
    -------
    dict
        Keyword arguments for a new layer.
    """
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def image_shape(layer: Image) -> tuple[int, ...]:
    """Return the shape that a mask of an image layer has.

    Parameters
    ----------
    layer : Image
        Plain, RGB or multiscale (its first, largest scale counts).

    Returns
    -------
    tuple of int
        `(Y, X)` or `(N, Y, X)`.

    Raises
    ------
    VeinSegError
        For any other number of dimensions.
    """
    data = layer.data[0] if layer.multiscale else layer.data
    shape = tuple(int(size) for size in (data.shape[:-1] if layer.rgb else data.shape))
    if len(shape) not in (2, 3):
        raise VeinSegError(
            f"The layer '{layer.name}' has {len(shape)} dimensions, but an image has 2 and a "
            "stack 3: crop or split the layer first."
        )
    return shape


def add_mask_layer(
    viewer: napari.Viewer,
    mask: npt.NDArray[Any],
    image: Image,
    *,
    name: str | None = None,
    probability: npt.NDArray[np.float32] | None = None,
) -> Labels:
    """Add an editable mask over an image, in the same place and with named colours.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the layer is added.
    mask : ndarray
        0, 1 and 2, of the image's shape; kept as NumPy `uint8`.
    image : Image
        The image that the mask belongs to.
    name : str or None
        The layer's name; by default the image's with 'veins' behind it.
    probability : ndarray or None
        What the mask was made from, for the sliders and for finding doubtful places.

    Returns
    -------
    Labels
        The new layer, with the vein label chosen for painting.
    """
    layer = Labels(
        np.array(mask, dtype=np.uint8),
        name=name or f"{image.name} veins",
        opacity=0.6,
        colormap=DirectLabelColormap(
            color_dict={0: "transparent", VEIN: VEIN_COLOUR, UNSURE: UNSURE_COLOUR, None: "white"}
        ),
        # napari shows the row of the label under the cursor in its status bar.
        features={"index": [0, VEIN, UNSURE], "name": ["background", "vein", "unsure"]},
        **spatial_attributes(image),
    )
    layer.selected_label = VEIN
    layer.brush_size = 5
    record = record_of(layer)
    record.image, record.probability = weakref.ref(image), probability
    viewer.add_layer(layer)
    return layer


def record_of(layer: Labels) -> MaskRecord:
    """Return what the plugin knows of a mask layer, and begin to watch its edits if it did not.

    Parameters
    ----------
    layer : Labels
        Any single-scale Labels layer, made by the plugin or not.

    Returns
    -------
    MaskRecord
        The layer's own record, with its `edits` up to date with the undo history.
    """
    record = layer.metadata.get(_KEY)
    shape = tuple(layer.data.shape)
    if not isinstance(record, MaskRecord) or record.edits.shape != shape:
        record = _watch(layer, MaskRecord(weakref.ref(layer), EditTracker(shape)))
    elif record.layer() is not layer:  # a duplicate: the same edits, and from here on its own
        edits = EditTracker(shape)
        edits.accept(record.edits.edited)
        record = _watch(layer, replace(record, layer=weakref.ref(layer), edits=edits))
    record.edits.follow(
        done=[atom for item in layer._undo_history for atom in item],
        undone=[atom for item in layer._redo_history for atom in item],
    )
    return record


def _watch(layer: Labels, record: MaskRecord) -> MaskRecord:
    layer.metadata = {**layer.metadata, _KEY: record}
    for emitter, callback in ((layer.events.paint, record_paint), (layer.events.data, _accept_all)):
        emitter.disconnect(callback)
        emitter.connect(callback)
    for item in layer._undo_history:  # painted before anybody watched
        for atom in item:
            record.edits.record(atom, _pixels(atom))
    return record


def record_paint(event: Any) -> None:
    """Take a step of the undo history as the user's edit.

    Parameters
    ----------
    event : napari event
        The `paint` event of a layer; `napari_veinseg.widgets.undo` blocks it for its own writes.
    """
    record = _own_record(event.source)
    if record is not None:
        for atom in event.value:
            record.edits.record(atom, _pixels(atom))


def _accept_all(event: Any) -> None:
    """Take a whole new array as the user's: nobody can tell which of its pixels are meant."""
    record = _own_record(event.source)
    if record is not None:
        record.edits.accept(Pixels((slice(None),)))


def _own_record(layer: Labels) -> MaskRecord | None:
    record = layer.metadata.get(_KEY)
    fits = (
        isinstance(record, MaskRecord)
        and record.layer() is layer
        and record.edits.shape == tuple(layer.data.shape)
    )
    return record if fits else None


def _pixels(atom: Any) -> Pixels:
    """Return the pixels that one entry of napari's history changed."""
    if hasattr(atom, "slice_key"):  # napari >= 0.7: brush, fill and polygon
        return Pixels(atom.slice_key, atom.mask)
    return Pixels(atom[0])


def edited_pixels(layer: Labels) -> BoolArray:
    """Return which pixels of a mask layer the user painted or accepted.

    Parameters
    ----------
    layer : Labels
        A single-scale Labels layer.

    Returns
    -------
    ndarray of bool
        The mask's shape; read only.
    """
    return record_of(layer).edits.edited


def displayed_plane(viewer: napari.Viewer, layer: Layer) -> tuple[int, ...]:
    """Return the index of the plane of a layer that the viewer shows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, showing two dimensions.
    layer : Layer
        An image or mask of 2 or 3 dimensions.

    Returns
    -------
    tuple of int
        Empty for `(Y, X)`, one number for `(N, Y, X)`: `data[plane]` is the shown `(Y, X)`.

    Raises
    ------
    VeinSegError
        When the viewer shows 3D, another plane than `(Y, X)`, or none of this layer.
    """
    dims = viewer.dims
    if dims.ndisplay != 2 or tuple(dims.displayed) != tuple(range(dims.ndim))[-2:]:
        raise VeinSegError("Show the stack in 2D with its slices along the slider to do this.")
    if layer.ndim == 2:
        return ()
    position = layer.world_to_data(dims.point)[-layer.ndim]
    plane, count = int(np.round(position)), layer.data.shape[0]
    if not 0 <= plane < count:
        raise VeinSegError(f"Move the slider to a slice of the layer '{layer.name}'.")
    return (plane,)
