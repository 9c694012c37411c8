"""Until the next image is read, what is seen is told as what it is, and drawn on as such."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_veinseg.correction.image_states import ImageState
from tests.widgets.mouse import Mouse
from tests.widgets.workbench.conftest import press, wait_for_mask


@pytest.fixture
def waiting(opened, qtbot, slow_disk):
    """A workbench that shows the first image and was asked for the last."""
    qtbot.waitUntil(lambda: not opened.session.ahead.running, timeout=20_000)
    opened.session.ahead.forget()
    slow_disk.clear()
    press(opened, ",")
    return opened


def test_the_strip_names_what_is_seen_until_the_next_image_is_read(waiting, slow_disk, qtbot):
    strip = waiting.strip
    assert waiting.viewer.layers[0].name == strip.name.toolTip() == "a.tif"
    assert (strip.number.value(), strip.state.text()) == (1, "reading 3…")
    assert "c.tif" in waiting.status.facts.text()
    slow_disk.set()
    wait_for_mask(waiting, qtbot, 2)
    assert waiting.viewer.layers[0].name == strip.name.toolTip() == "c.tif"
    assert (strip.number.value(), strip.state.text()) == (3, "segmented")


def test_what_is_drawn_meanwhile_is_drawn_on_what_is_seen(waiting, slow_disk, qtbot):
    waiting.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    assert waiting.strip.state.text() == "reading 3…"
    slow_disk.set()
    wait_for_mask(waiting, qtbot, 2)
    assert waiting.strip.state.text() == "segmented"
    assert waiting.session.folder.state(0) is ImageState.EDITED
    press(waiting, ".")
    wait_for_mask(waiting, qtbot, 0)
    assert waiting.session.shown.mask.data[2, 3] == 1


def test_what_is_waited_for_comes_also_where_the_whole_folder_is_segmented(
    opened, slow_disk, qtbot
):
    session = opened.session
    qtbot.waitUntil(lambda: not session.ahead.running, timeout=20_000)
    session.ahead.forget()
    slow_disk.clear()
    session.prepare_next()
    press(opened, ".")
    assert session.ahead.is_preparing(1)
    opened.folder_run.rest.click()
    slow_disk.set()
    qtbot.waitUntil(lambda: session.shown.index == 1)
    qtbot.waitUntil(lambda: not session.masks.running, timeout=20_000)


def test_a_stroke_ends_with_its_image(opened, qtbot):
    qtbot.waitUntil(lambda: 1 in opened.session.ahead, timeout=20_000)
    mask, mouse = opened.session.shown.mask, Mouse(opened.viewer, opened.session.shown.image)
    expected, native = opened.session.ahead.get(1).draft.mask, mouse.canvas.native
    mask.mode, mask.brush_size = "paint", 2
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=mouse.where((12, 10)))
    mouse.move((12, 20))
    press(opened, ".")
    assert opened.session.shown.index == 1
    mouse.move((12, 60))
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=mouse.where((12, 60)))
    np.testing.assert_array_equal(opened.session.shown.mask.data, expected)
    press(opened, ",")
    assert opened.session.shown.mask.data[12, 15] == 1


def test_that_an_image_and_its_mask_are_prepared_is_said(opened, qtbot, stub):
    qtbot.waitUntil(lambda: not opened.session.ahead.running, timeout=20_000)
    stub.gate.clear()
    opened.session.ahead.forget()
    opened.session.folder.masks.makers.clear()
    opened.session.prepare_next()
    press(opened, ".")
    assert opened.strip.name.toolTip() == "a.tif"
    assert opened.strip.state.text() == "preparing 2…"
    stub.gate.set()
    wait_for_mask(opened, qtbot, 1)
    assert opened.strip.name.toolTip() == "b.tif"
