"""Writing a mask layer in whole undo steps, and leaving nothing half done when something raises."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels

from napari_veinseg.correction.edited_pixels import BoolArray
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.layer_metadata import (
    MaskRecord,
    forget_record,
    record_of,
    record_paint,
)


@contextmanager
def one_undo_step(layer: Labels) -> Iterator[None]:
    """Make all `write_pixels` calls of a block one undo step, or none when the block raises.

    napari's own `block_history` leaves pixels changed and the history half staged when something
    raises inside it.  Blocks may be nested; the outermost is the step.
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
    """Write pixels of a mask layer as exactly one undo step, or none when none changes."""
    require_editable(layer)
    indices = np.nonzero(where) if isinstance(where, np.ndarray) else where
    record_of(layer)
    before = layer._undo_history[-1] if layer._undo_history else None
    noted = nullcontext() if by_user else layer.events.paint.blocker(record_paint)
    with noted, one_undo_step(layer):
        _set_items(layer, indices, values)
    last = layer._undo_history[-1] if layer._undo_history else None
    if last is before:  # nothing changed
        return join
    if join is not None and join is before:
        layer._undo_history.pop()
        assert isinstance(join, list)  # a step of napari's history
        join.extend(last or [])
        last = join
    return last


def replace_mask(layer: Labels, mask: npt.NDArray[np.uint8], image: Image) -> MaskRecord:
    """Let a layer show the mask of another image, with a history and edits of its own.

    Much faster than another layer: napari collects all garbage whenever a layer is removed.
    """
    forget_record(layer)  # else the new pixels would count as the user's
    layer.data = np.array(mask)
    layer._reset_history()
    record = record_of(layer)
    record.image = weakref.ref(image)
    return record


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


def require_editable(layer: Labels) -> None:
    """Refuse a layer that cannot be painted on."""
    data = layer.data
    if layer.multiscale or not isinstance(data, np.ndarray) or not data.flags.writeable:
        raise VeinSegError(
            f"The labels of '{layer.name}' cannot be edited (they are not a plain array in "
            "memory): duplicate the layer as an in-memory copy first."
        )
    if not layer.editable:
        raise VeinSegError(f"The layer '{layer.name}' is locked: make it editable first.")
