"""Layers of the viewer: mask layers made, written in whole undo steps, and watched for edits."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.notifications import show_warning

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
    """

    layer: "weakref.ref[Labels]"
    edits: EditTracker
    image: "weakref.ref[Image] | None" = None
    probability: npt.NDArray[np.float32] | None = None


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
        record = _watch(
            layer, MaskRecord(weakref.ref(layer), edits, record.image, record.probability)
        )
    record.edits.follow(
        done=[atom for item in layer._undo_history for atom in item],
        undone=[atom for item in layer._redo_history for atom in item],
    )
    return record


def _watch(layer: Labels, record: MaskRecord) -> MaskRecord:
    layer.metadata = {**layer.metadata, _KEY: record}
    layer.events.paint.disconnect(_record_paint)
    layer.events.paint.connect(_record_paint)
    return record


def _record_paint(event: Any) -> None:
    """Take a step of the undo history as the user's edit."""
    layer = event.source
    record = layer.metadata.get(_KEY)
    if isinstance(record, MaskRecord) and record.layer() is layer:
        for atom in event.value:
            record.edits.record(atom, _pixels(atom))


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


@contextmanager
def one_undo_step(layer: Labels) -> Iterator[None]:
    """Make all `write_pixels` calls of a block one undo step, or none when the block raises.

    napari's own `block_history` leaves pixels changed and the history half staged when something
    raises inside it.  Blocks may be nested; the outermost is the step.

    Parameters
    ----------
    layer : Labels
        The layer that the block writes to.
    """
    staged = len(layer._staged_history)
    undo, redo = list(layer._undo_history), list(layer._redo_history)
    # napari commits at the end of an inner block too, so only the outermost one may be its own.
    block = nullcontext() if layer._block_history else layer.block_history()
    try:
        with block:
            yield
    except BaseException:
        # What was committed before the error (a listener of ours or of others raised) lies in
        # the same list that is still staged.
        for atom in reversed(layer._staged_history[staged:]):
            _restore(layer, atom)
        del layer._staged_history[staged:]
        layer._undo_history.clear()
        layer._undo_history.extend(undo)
        layer._redo_history.clear()
        layer._redo_history.extend(redo)
        layer.refresh()
        raise


def _restore(layer: Labels, atom: Any) -> None:
    if hasattr(atom, "slice_key"):
        layer._replay_masked_atom(atom, undoing=True)
    else:
        layer.data[atom[0]] = atom[1]


def write_pixels(
    layer: Labels,
    where: BoolArray | tuple[Any, ...],
    values: npt.NDArray[Any] | int,
    *,
    by_user: bool = True,
    join: object | None = None,
) -> object | None:
    """Write pixels of a mask layer as exactly one undo step, or none when none changes.

    Parameters
    ----------
    layer : Labels
        A layer that can be edited.
    where : ndarray of bool or tuple of ndarray of int
        The pixels, as an array of the mask's shape or as positions along each axis.
    values : ndarray or int
        One label for all, or one for each pixel in the order of `where`.
    by_user : bool
        Whether the written pixels become the user's edits; False only outside of other blocks.
    join : object or None
        What an earlier call returned: when that is still the last undo step, this write becomes
        a part of it (one drag of a slider is one step).

    Returns
    -------
    object or None
        The undo step, to be passed as `join`; None when nothing changed.

    Raises
    ------
    VeinSegError
        When the layer cannot be edited.
    """
    require_editable(layer)
    indices = np.nonzero(where) if isinstance(where, np.ndarray) else where
    record_of(layer)
    before = layer._undo_history[-1] if layer._undo_history else None
    with _edits_ignored(layer, by_user), one_undo_step(layer):
        _set_items(layer, indices, values)
    last = layer._undo_history[-1] if layer._undo_history else None
    if last is before:  # nothing changed
        return join
    if join is not None and join is before:
        layer._undo_history.pop()
        join.extend(last)  # type: ignore[attr-defined]
        last = join
    return last


def _set_items(layer: Labels, indices: tuple[Any, ...], values: npt.NDArray[Any] | int) -> None:
    """Do what `data_setitem` does, also while the viewer shows no slice of the layer."""
    if not layer._slice.empty:
        layer.data_setitem(indices, values)
        return
    old = layer.data[indices]
    changed = old != values
    if changed.any():
        positions = tuple(axis[changed] for axis in indices)
        new = np.broadcast_to(np.asarray(values, dtype=layer.data.dtype), old.shape)[changed]
        layer._save_history((positions, old[changed], new))
        layer.data[positions] = new


@contextmanager
def _edits_ignored(layer: Labels, by_user: bool) -> Iterator[None]:
    if by_user:
        yield
        return
    with layer.events.paint.blocker(_record_paint):
        yield


def require_editable(layer: Labels) -> None:
    """Refuse a layer that cannot be painted on.

    Parameters
    ----------
    layer : Labels
        The layer to be written.

    Raises
    ------
    VeinSegError
        When it is multiscale, not NumPy, read only, or locked by the user.
    """
    data = layer.data
    if layer.multiscale or not isinstance(data, np.ndarray) or not data.flags.writeable:
        raise VeinSegError(
            f"The labels of '{layer.name}' cannot be edited (they are not a plain array in "
            "memory): duplicate the layer as an in-memory copy first."
        )
    if not layer.editable:
        raise VeinSegError(f"The layer '{layer.name}' is locked: make it editable first.")


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


def warn_if_hidden(layer: Layer) -> None:
    """Say so when a result goes into a layer that is not visible.

    Parameters
    ----------
    layer : Layer
        The layer that was written.
    """
    if not layer.visible:
        show_warning(f"The layer '{layer.name}' is hidden: click its eye to see the result.")
