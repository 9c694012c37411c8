"""What the plugin knows of a mask layer: the user's edits, and what the mask was made from."""

import weakref
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels, Layer

from napari_veinseg.correction.edits import BoolArray, EditTracker, Pixels

_KEY = "veinseg"


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
    evaluated : bool
        Whether an evaluation opened the mask: a stored truth or a model's prediction.
    """

    layer: "weakref.ref[Labels]"
    edits: EditTracker
    image: "weakref.ref[Image] | None" = None
    probability: npt.NDArray[np.float32] | None = None
    threshold: float = 0.5
    min_size: int = 0
    evaluated: bool = False


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
    _follow(layer, record)
    return record


def image_of(layer: Layer) -> Image | None:
    """Return the image layer that a mask was made from.

    Parameters
    ----------
    layer : Layer
        Any layer; it is only looked at.

    Returns
    -------
    Image or None
        None when it is no mask of the plugin, or its image is gone.
    """
    record = layer.metadata.get(_KEY)
    return record.image() if isinstance(record, MaskRecord) and record.image else None


def has_probability(layer: Layer) -> bool:
    """Tell whether a layer is a mask whose threshold can be changed.

    Parameters
    ----------
    layer : Layer
        Any layer; it is only looked at.

    Returns
    -------
    bool
        Whether the probability that the mask was made from is kept, and fits.
    """
    record = layer.metadata.get(_KEY)
    return (
        isinstance(record, MaskRecord)
        and record.probability is not None
        and record.probability.shape == tuple(layer.data.shape)
    )


def only_shows_evaluation(layer: Labels) -> bool:
    """Tell whether a mask was opened by an evaluation and is as it was then.

    Parameters
    ----------
    layer : Labels
        Any Labels layer.

    Returns
    -------
    bool
        Whether nothing of the mask is the user's own.
    """
    record = layer.metadata.get(_KEY)
    evaluated = isinstance(record, MaskRecord) and record.evaluated
    return evaluated and not edited_pixels(layer).any()


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


def _watch(layer: Labels, record: MaskRecord) -> MaskRecord:
    layer.metadata = {**layer.metadata, _KEY: record}
    events = layer.events
    # Undo has no event of its own, but it draws: seen then, it is not mistaken for a stroke that
    # left the history by age.
    for emitter, callback in (
        (events.paint, record_paint),
        (events.data, _accept_all),
        (events.set_data, _follow_drawing),
    ):
        emitter.disconnect(callback)
        emitter.connect(callback)
    try:
        for item in layer._undo_history:  # painted before anybody watched
            for atom in item:
                record.edits.record(atom, _pixels(atom))
        _ = record.edits.edited
    except (IndexError, ValueError):  # on an array of another shape, which is gone
        layer._reset_history()
        record.edits = EditTracker(record.edits.shape)
    return record


def record_paint(event: Any) -> None:
    """Take a step of the undo history as the user's edit.

    Parameters
    ----------
    event : napari event
        The `paint` event of a layer; `masks.undo` blocks it for its own writes.
    """
    record = _own_record(event.source)
    if record is not None:
        for atom in event.value:
            record.edits.record(atom, _pixels(atom))
        _follow(event.source, record)


def _accept_all(event: Any) -> None:
    """Take a whole new array as the user's: nobody can tell which of its pixels are meant."""
    record = _own_record(event.source)
    if record is not None:
        record.edits.accept(Pixels((slice(None),)))


def _follow_drawing(event: Any) -> None:
    record = _own_record(event.source)
    if record is not None:
        _follow(event.source, record)


def _follow(layer: Labels, record: MaskRecord) -> None:
    record.edits.follow(
        done=[atom for item in layer._undo_history for atom in item],
        undone=[atom for item in layer._redo_history for atom in item],
    )


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
