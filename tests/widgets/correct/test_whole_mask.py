"""Buttons that change the whole mask."""

import threading

import numpy as np
import pytest

from napari_veinseg.widgets.common import jobs
from napari_veinseg.widgets.correct import mask_actions
from napari_veinseg.widgets.correct.trace_tool import TraceTool
from tests.widgets.correct.scene import SHAPE, button_of, dice, photograph, truth

BUTTONS = ["Drop small pieces", "Fill small holes", "Smooth", "Thinner", "Thicker",
           "Move onto veins", "Rest is unsure", "Redraw as measured"]  # fmt: skip


@pytest.mark.parametrize("text", BUTTONS)
def test_actions_on_the_whole_mask_are_one_undo_step(viewer, correct_in, text):
    start = np.roll(truth(), -6, axis=0)
    start[5, 5] = 1
    start[49, 30] = 0
    start[48, 60] = 1
    widget, labels, _ = correct_in(viewer, start)
    labels.data_setitem((np.array([52]), np.array([20])), 1)
    before, steps = labels.data.copy(), len(labels._undo_history)
    button_of(widget, text).click()
    after = labels.data.copy()
    assert (after != before).any()
    assert len(labels._undo_history) == steps + 1
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)
    labels.redo()
    np.testing.assert_array_equal(labels.data, after)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_mask_above_the_veins_is_moved_onto_them(viewer, correct_in, lost):
    image = photograph().astype(np.float32)
    image[:lost, :lost] = np.nan
    widget, labels, _ = correct_in(viewer, np.roll(truth(), -7, axis=0), image=image)
    button_of(widget, "Move onto veins").click()
    assert dice(labels.data == 1, truth() == 1) > 0.9


def test_moving_all_slices_is_told_once(viewer, correct_in, told):
    masks = np.stack([np.roll(truth(), -7, axis=0), truth() * 0, np.roll(truth(), 5, axis=0)])
    widget, *_ = correct_in(viewer, masks, image=np.stack([photograph()] * 3))
    widget.mask_actions.all_slices.setChecked(True)
    button_of(widget, "Move onto veins").click()
    assert told.texts == ["Move onto veins: 2 of the 3 slices were changed."]


def test_a_stack_is_corrected_on_the_displayed_slice_or_on_all(viewer, correct_in, use):
    stack = np.stack([photograph()] * 3)
    specks = np.zeros((3, *SHAPE), np.uint8)
    specks[:, 5, 5] = 1
    widget, labels, mouse = correct_in(viewer, specks, image=stack, scale=(2, 1, 1))
    viewer.dims.set_point(0, 2)
    use(widget, TraceTool)
    mouse.click((59, 4))
    mouse.double_click((50, 60))
    assert labels.data[1].sum() > 100
    assert labels.data[[0, 2]].sum() == 2
    widget.toolbox.use(None)
    button_of(widget, "Drop small pieces").click()
    assert labels.data[:, 5, 5].tolist() == [1, 0, 1]
    widget.mask_actions.all_slices.setChecked(True)
    button_of(widget, "Drop small pieces").click()
    assert labels.data[:, 5, 5].tolist() == [0, 0, 0]
    labels.undo()
    assert labels.data[:, 5, 5].tolist() == [1, 0, 1]


@pytest.fixture(params=[3])
def slow_drop(request, viewer, correct_in, monkeypatch):
    """A stack of specks whose dropping goes on beside the viewer until it is let go."""
    monkeypatch.setattr(jobs, "AT_ONCE", 0)
    go_on = threading.Event()
    drop = mask_actions.cleanup.drop_specks

    def slowly(mask, size):
        go_on.wait(10)
        return drop(mask, size)

    monkeypatch.setattr(mask_actions.cleanup, "drop_specks", slowly)
    specks = np.zeros((request.param, *SHAPE), np.uint8)
    specks[:, 5, 5] = 1
    image = np.stack([photograph()] * request.param)
    widget, labels, _ = correct_in(viewer, specks, image=image)
    widget.mask_actions.all_slices.setChecked(True)
    pressed = button_of(widget, "Drop small pieces")
    pressed.click()
    yield widget, labels, pressed, go_on
    go_on.set()


def test_all_slices_are_changed_beside_the_viewer(qtbot, slow_drop):
    widget, labels, pressed, go_on = slow_drop
    assert pressed.text() == "Cancel"
    assert not button_of(widget, "Smooth").isEnabled()
    assert labels.data.sum() == 3
    go_on.set()
    qtbot.waitUntil(lambda: not widget.work.job.running)
    assert labels.data.sum() == 0
    assert pressed.text() == "Drop small pieces"
    assert button_of(widget, "Smooth").isEnabled()
    labels.undo()
    assert labels.data.sum() == 3


def test_what_was_painted_in_the_meantime_is_kept(qtbot, slow_drop, told):
    widget, labels, _, go_on = slow_drop
    labels.data_setitem((np.array([1]), np.array([5]), np.array([6])), 1)
    go_on.set()
    qtbot.waitUntil(lambda: not widget.work.job.running)
    assert labels.data.sum() == 4
    assert "press 'Drop small pieces' once more" in told.texts[-1]


@pytest.mark.parametrize("slow_drop", [1, 3], indirect=True)
def test_a_change_can_be_cancelled(qtbot, slow_drop):
    widget, labels, pressed, go_on = slow_drop
    before = labels.data.copy()
    pressed.click()
    go_on.set()
    qtbot.waitUntil(lambda: not widget.work.job.running)
    np.testing.assert_array_equal(labels.data, before)
    assert pressed.text() == "Drop small pieces"
