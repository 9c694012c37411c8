"""Mask layers are written in whole undo steps, and nothing is half done."""

import numpy as np
import pytest

from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels
from napari_veinseg.widgets.masks.layers import add_mask_layer, displayed_plane
from napari_veinseg.widgets.masks.undo import one_undo_step, write_pixels

SHAPE = (3, 20, 24)


@pytest.fixture
def mask(viewer):
    return add_mask_layer(viewer, np.zeros(SHAPE), viewer.add_image(np.zeros(SHAPE)))


def region(*where):
    chosen = np.zeros(SHAPE, bool)
    chosen[where] = True
    return chosen


def test_many_pixels_are_one_step_and_the_users(mask):
    first, second = region(slice(None), slice(0, 10)), region(1)
    write_pixels(mask, first, 1)
    write_pixels(mask, np.nonzero(second), 2)
    assert len(mask._undo_history) == 2
    np.testing.assert_array_equal(edited_pixels(mask), first | second)
    mask.undo()
    np.testing.assert_array_equal(mask.data, first)
    np.testing.assert_array_equal(edited_pixels(mask), first)
    mask.redo()
    np.testing.assert_array_equal(edited_pixels(mask), first | second)


def test_values_one_for_each_pixel(mask):
    values = np.arange(SHAPE[1] * SHAPE[2]).reshape(SHAPE[1:]) % 3
    write_pixels(mask, region(2), values.ravel())
    np.testing.assert_array_equal(mask.data[2], values)
    mask.undo()
    assert not mask.data.any()


def test_nothing_changed_is_no_step(mask):
    assert write_pixels(mask, region(0), 0) is None
    assert not mask._undo_history


def test_a_step_of_several_writes(mask):
    with one_undo_step(mask):
        write_pixels(mask, region(0), 1)
        write_pixels(mask, region(1), 2)
    assert len(mask._undo_history) == 1
    mask.undo()
    assert not mask.data.any()
    assert not edited_pixels(mask).any()


def fail(mask):
    with one_undo_step(mask):
        write_pixels(mask, region(slice(None), 3), 2)
        mask.paint((0, 10, 10), 2)
        raise ZeroDivisionError


def fail_within_another_step(mask):
    with one_undo_step(mask):
        write_pixels(mask, region(2), 1)
        fail(mask)


@pytest.mark.parametrize("act", [fail, fail_within_another_step])
def test_what_raises_leaves_pixels_and_history_as_they_were(mask, act):
    write_pixels(mask, region(0), 1)
    write_pixels(mask, region(1), 1)
    mask.undo()
    before, edited = mask.data.copy(), edited_pixels(mask).copy()

    with pytest.raises(ZeroDivisionError):
        act(mask)
    np.testing.assert_array_equal(mask.data, before)
    np.testing.assert_array_equal(edited_pixels(mask), edited)
    assert (len(mask._undo_history), len(mask._redo_history)) == (1, 1)
    assert not mask._staged_history
    mask.redo()
    assert mask.data[1].all()
    mask.paint((0, 10, 10), 2)
    assert len(mask._undo_history) == 3


def test_a_listener_that_raises_leaves_nothing_half_done(mask):
    def listener(event):
        raise RuntimeError("another plugin")

    mask.events.paint.connect(listener)
    with pytest.raises(Exception, match="another plugin"):
        write_pixels(mask, region(0), 1)
    mask.events.paint.disconnect(listener)
    assert not mask.data.any()
    assert not mask._undo_history
    write_pixels(mask, region(0), 1)
    assert len(mask._undo_history) == 1


def test_a_write_to_a_layer_that_is_not_in_view(viewer, mask):
    """napari's `data_setitem` fails when the viewer shows no slice of the layer."""
    viewer.add_image(np.zeros((9, 20, 24)), translate=(100, 0, 0))
    viewer.dims.set_point(0, 105)
    write_pixels(mask, region(1), 1)
    assert mask.data[1].all()
    viewer.dims.set_point(0, 1)
    mask.undo()
    assert not mask.data.any()


@pytest.mark.parametrize("change", ["locked", "read only", "multiscale"])
def test_layers_that_cannot_be_edited_are_refused(viewer, mask, change):
    if change == "locked":
        mask.editable = False
    elif change == "read only":
        mask.data.flags.writeable = False
    else:
        mask = viewer.add_labels([np.zeros((20, 24), int), np.zeros((10, 12), int)])
    with pytest.raises(VeinSegError, match=r"locked|cannot be edited"):
        write_pixels(mask, (np.array([1]),) * mask.ndim, 1)


def test_the_displayed_plane(viewer, mask):
    viewer.dims.set_current_step(0, 2)
    assert displayed_plane(viewer, mask) == (2,)
    mask.scale = (5, 1, 1)
    mask.translate = (10, 0, 0)
    viewer.dims.set_point(0, 15)
    assert displayed_plane(viewer, mask) == (1,)
    viewer.dims.ndisplay = 3
    with pytest.raises(VeinSegError, match="2D"):
        displayed_plane(viewer, mask)
    viewer.dims.ndisplay = 2
    viewer.dims.order = (1, 0, 2)
    with pytest.raises(VeinSegError, match="slices along"):
        displayed_plane(viewer, mask)
