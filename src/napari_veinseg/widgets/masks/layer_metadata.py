"""What the plugin keeps in a layer's metadata: a mask's edits and source, or what else it is."""

import weakref
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from napari.layers import Image, Labels, Layer

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.correction.edited_pixels import BoolArray, EditTracker, Pixels
from napari_veinseg.data.array_types import ProbabilityStack

_KEY = "veinseg"


@dataclass
class MaskRecord:
    """What the plugin knows of one mask layer; it lies in the layer's metadata."""

    layer: "weakref.ref[Labels]"  # a duplicated layer shares its metadata
    edits: EditTracker
    image: "weakref.ref[Image] | None" = None  # what was segmented
    probability: ProbabilityStack | None = None  # what the mask was made from, its shape
    notes: DraftNotes = field(default_factory=DraftNotes)  # what model made it, with which numbers
    own_notes: DraftNotes = field(default_factory=DraftNotes)  # with that model's own numbers
    evaluated: bool = False  # opened by an evaluation: a stored truth or a model's prediction

    def take(self, probability: ProbabilityStack | None, notes: DraftNotes) -> None:
        """Take over what a model has found and the numbers that it used."""
        self.probability = probability
        self.notes = self.own_notes = notes


class Derived(Enum):
    """A layer of the plugin that is neither an image nor a mask."""

    PROBABILITY = "probability"
    AGREEMENT = "agreement"
    MEASUREMENT = "measurement"
    ENHANCED = "enhanced"
    REGION = "region"


def derived_metadata(kind: Derived) -> dict[str, Any]:
    """Return the metadata of a new layer of that kind."""
    return {_KEY: kind}


def is_derived(layer: Layer, kind: Derived) -> bool:
    """Tell whether the plugin made a layer as one of that kind."""
    return layer.metadata.get(_KEY) is kind


def record_of(layer: Labels) -> MaskRecord:
    """Return what the plugin knows of a mask layer, and begin to watch its edits if it did not."""
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


def forget_record(layer: Labels) -> None:
    """Let a layer be one that nobody knows yet: it is about to show another mask."""
    layer.metadata = {key: value for key, value in layer.metadata.items() if key != _KEY}


def image_of(layer: Layer) -> Image | None:
    """Return the image layer that a mask was made from."""
    record = layer.metadata.get(_KEY)
    return record.image() if isinstance(record, MaskRecord) and record.image else None


def has_probability(layer: Layer) -> bool:
    """Tell whether a layer is a mask whose threshold can be changed."""
    record = layer.metadata.get(_KEY)
    return (
        isinstance(record, MaskRecord)
        and record.probability is not None
        and record.probability.shape == tuple(layer.data.shape)
    )


def only_shows_evaluation(layer: Labels) -> bool:
    """Tell whether a mask was opened by an evaluation and is as it was then."""
    record = layer.metadata.get(_KEY)
    evaluated = isinstance(record, MaskRecord) and record.evaluated
    return evaluated and not edited_pixels(layer).any()


def edited_pixels(layer: Labels) -> BoolArray:
    """Return which pixels of a mask layer the user painted or accepted."""
    return record_of(layer).edits.edited


def accept_pixels(layer: Labels, index: tuple[Any, ...], step: Any) -> None:
    """Make pixels the user's that a step decided without changing them; undone, they are not."""
    edits = record_of(layer).edits
    if step:
        edits.record(step[0], Pixels(index))
    else:
        edits.accept(Pixels(index))


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
    """Take a step of the undo history as the user's edit."""
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
    is_own = isinstance(record, MaskRecord) and record.layer() is layer
    return record if is_own and record.edits.shape == tuple(layer.data.shape) else None


def _pixels(atom: Any) -> Pixels:
    """Return the pixels that one entry of napari's history changed."""
    if hasattr(atom, "slice_key"):  # napari >= 0.7: brush, fill and polygon
        return Pixels(atom.slice_key, atom.mask)
    return Pixels(atom[0])
