"""A region drawn on the canvas decides where veins are looked for, and is remembered."""

import threading

import numpy as np
import pytest
from napari.layers import Shapes
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QScrollArea

from napari_veinseg.widgets.common import warm_up
from napari_veinseg.widgets.masks.layers import adjustable_mask
from tests.widgets.mouse import Mouse
from tests.widgets.workbench.conftest import press, wait_for_mask


def click(control):
    QTest.mouseClick(control, Qt.MouseButton.LeftButton)


def draw_rectangle(bench, qtbot, image, start, end):
    controls = bench.segment.region
    before = controls.region()
    click(controls.rectangle)
    Mouse(bench.viewer, image).drag(start, end)
    qtbot.waitUntil(lambda: controls.region() not in (None, before), timeout=5000)
    qtbot.waitUntil(lambda: not bench.session.working, timeout=5000)
    return controls.region()


def veins_of(bench):
    return np.argwhere(bench.session.shown.mask.data == 1)


def regions_shown(bench):
    return sum(len(each.data) for each in bench.viewer.layers if isinstance(each, Shapes))


def test_a_rectangle_limits_the_mask_and_comes_back_with_its_image(opened, qtbot):
    image = opened.session.shown.image
    region = draw_rectangle(opened, qtbot, image, (20, 20), (50, 60))
    np.testing.assert_allclose(region.corners, ((20, 20), (60, 50)), atol=1)
    assert veins_of(opened)[:, 1].min() >= 18
    assert veins_of(opened)[:, 1].max() <= 62
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert opened.segment.region.region() is None
    assert regions_shown(opened) == 0
    assert veins_of(opened)[:, 1].min() == 0
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    assert opened.segment.region.region() == region
    assert regions_shown(opened) == 1
    click(opened.segment.region.whole)
    qtbot.waitUntil(lambda: veins_of(opened)[:, 1].min() == 0)
    assert regions_shown(opened) == 0


def test_what_a_region_asks_fits_the_dock(opened, qtbot):
    opened.viewer.window._qt_window.resize(1024, 670)
    opened.viewer.show()
    draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (60, 60))
    assert opened.segment.region.shared.isVisible()
    (area,) = opened.segment.findChildren(QScrollArea)
    assert area.widget().minimumSizeHint().width() <= area.viewport().width()


def test_one_region_for_all_images_lasts_until_it_is_removed(opened, qtbot, folder, told):
    region = draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (60, 60))
    assert "Outside it, no vein" in opened.segment.region.told.text()
    opened.segment.region.shared.click()
    assert "Press Segment" not in opened.segment.region.told.text(), "it was made with it already"
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    qtbot.waitUntil(lambda: veins_of(opened)[:, 1].max() < 62, timeout=5000)
    assert "Outside it, no vein" in opened.segment.region.told.text()
    opened.session.close()
    assert regions_shown(opened) == 0
    assert not told.texts
    opened.session.open(folder)
    wait_for_mask(opened, qtbot, 0)
    assert opened.segment.region.region() == region
    assert opened.segment.region.shared.isChecked()
    click(opened.segment.region.whole)
    qtbot.waitUntil(lambda: veins_of(opened)[:, 1].min() == 0, timeout=5000)
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert opened.segment.region.region() is None


def test_an_edited_mask_keeps_its_pixels_until_segment_is_pressed(opened, qtbot):
    mask = opened.session.shown.mask
    mask.data_setitem((np.array([2]), np.array([3])), 1)
    before = mask.data.copy()
    draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (50, 60))
    np.testing.assert_array_equal(mask.data, before)
    told = opened.segment.region.told
    assert "Press Segment to apply it" in told.text()
    assert "no vein" not in told.text(), "there are some outside it"
    for key, index in ((".", 1), (",", 0)):
        press(opened, key)
        wait_for_mask(opened, qtbot, index)
    assert "Press Segment to apply it" in told.text(), "it is still so when one comes back"
    click(opened.segment.segment)
    qtbot.waitUntil(lambda: not opened.segment.job.running, timeout=5000)
    assert "Outside it, no vein" in told.text()
    mask = opened.session.shown.mask
    assert mask.data[2, 3] == 1
    assert (mask.data[30:36, :18] == 0).all()


def test_a_reviewed_mask_is_not_said_to_change(opened, qtbot):
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (50, 60))
    assert "stays as it was reviewed" in opened.segment.region.told.text()


def test_the_region_of_the_folder_is_not_that_of_an_image_of_elsewhere(opened, qtbot, vein_image):
    draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (50, 60))
    opened.segment.region.shared.click()
    other = opened.viewer.add_image(vein_image, name="far")
    assert opened.segment.region.region() is None
    assert not opened.segment.region.told.text()
    click(opened.segment.segment)
    qtbot.waitUntil(lambda: adjustable_mask(opened.viewer, other) is not None, timeout=5000)
    assert np.argwhere(adjustable_mask(opened.viewer, other).data == 1)[:, 1].min() == 0


def test_removing_the_layer_removes_the_region(opened, qtbot):
    draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (50, 60))
    (layer,) = (each for each in opened.viewer.layers if isinstance(each, Shapes))
    opened.viewer.layers.remove(layer)
    qtbot.waitUntil(lambda: opened.segment.region.region() is None)


@pytest.mark.parametrize("shape", [(64, 80), (3, 64, 80)])
def test_open_layers_have_regions_too(bench, qtbot, vein_image, shape):
    pixels = np.broadcast_to(vein_image, shape).copy()
    image = bench.viewer.add_image(pixels, scale=(2,) * len(shape), translate=(5,) * len(shape))
    other = bench.viewer.add_image(vein_image, name="other")
    bench.viewer.layers.selection.active = image
    other.visible = False
    region = draw_rectangle(bench, qtbot, image, (20, 20), (50, 60))
    np.testing.assert_allclose(region.corners, ((20, 20), (60, 50)), atol=1)
    assert "Press Segment to apply it" in bench.segment.region.told.text()
    click(bench.segment.segment)
    qtbot.waitUntil(lambda: adjustable_mask(bench.viewer, image) is not None, timeout=5000)
    assert "Outside it, no vein" in bench.segment.region.told.text()
    veins = np.argwhere(adjustable_mask(bench.viewer, image).data == 1)
    assert veins[:, -1].min() >= 18
    assert veins[:, -1].max() <= 62
    bench.viewer.layers.selection.active = other
    assert bench.segment.region.region() is None


def test_a_region_that_is_too_small_is_refused_and_the_one_before_stays(opened, qtbot, told):
    image = opened.session.shown.image
    region = draw_rectangle(opened, qtbot, image, (20, 20), (50, 60))
    click(opened.segment.region.rectangle)
    Mouse(opened.viewer, image).drag((20, 20), (23, 60))
    qtbot.waitUntil(lambda: any("give a larger one" in text for text in told.texts))
    assert opened.segment.region.region() == region
    assert regions_shown(opened) == 1


def test_after_a_region_that_is_too_small_the_next_drag_counts(opened, qtbot, told):
    image, controls = opened.session.shown.image, opened.segment.region
    click(controls.rectangle)
    Mouse(opened.viewer, image).drag((20, 20), (23, 60))
    qtbot.waitUntil(lambda: any("give a larger one" in text for text in told.texts))
    Mouse(opened.viewer, image).drag((20, 20), (50, 60))
    qtbot.waitUntil(lambda: controls.region() is not None, timeout=5000)
    assert regions_shown(opened) == 1


def test_a_rectangle_ends_where_the_button_is_let_go(opened, qtbot):
    """Napari passes over moves that follow each other fast: there may be none at all."""
    controls, plain = opened.segment.region, Qt.KeyboardModifier.NoModifier
    click(controls.rectangle)
    mouse = Mouse(opened.viewer, opened.session.shown.image)
    native, left = mouse.canvas.native, Qt.MouseButton.LeftButton
    QTest.mousePress(native, left, plain, mouse.where((20, 20)))
    QTest.mouseRelease(native, left, plain, mouse.where((50, 60)))
    qtbot.waitUntil(lambda: controls.region() is not None, timeout=5000)
    np.testing.assert_allclose(controls.region().corners, ((20, 20), (60, 50)), atol=1)


def test_the_region_of_an_image_ends_no_tool(opened, qtbot):
    draw_rectangle(opened, qtbot, opened.session.shown.image, (20, 20), (50, 60))
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert regions_shown(opened) == 0
    opened.tabs.show_tab("Correct")
    opened.viewer.layers.selection.active = opened.session.shown.mask
    press(opened, "u")
    tool = opened.correct.toolbox.active
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    assert regions_shown(opened) == 1
    assert tool is not None
    assert opened.correct.toolbox.active is tool


CORNERS = ((20, 20), (20, 60), (35, 70), (50, 60), (50, 20))


@pytest.mark.parametrize("moves", ["before each click", "none", "late"])
def test_a_polygon_has_each_corner_that_was_clicked_however_quickly(opened, qtbot, moves):
    """Napari's polygon lost corners where moves of the mouse were passed over."""
    image = opened.session.shown.image
    controls = opened.segment.region
    click(controls.polygon)
    mouse = Mouse(opened.viewer, image)
    for place in CORNERS:
        if moves == "before each click":
            mouse.move(place)
        mouse.click(place)
        if moves == "late":
            mouse.move((40, 40))
    assert controls.region() is None
    mouse.double_click(CORNERS[-1])
    qtbot.waitUntil(lambda: controls.region() is not None, timeout=5000)
    clicked = [(x, y) for y, x in CORNERS]
    np.testing.assert_allclose(controls.region().corners, clicked, atol=0.5)
    assert regions_shown(opened) == 1


def test_a_region_waits_for_the_display_beside_the_viewer(opened, qtbot, monkeypatch):
    gate = threading.Event()

    def compiles(_viewer, _draw):
        assert threading.current_thread() is not threading.main_thread()
        assert gate.wait(20)

    monkeypatch.setattr(warm_up, "show_lines", compiles)
    controls = opened.segment.region
    click(controls.rectangle)
    assert "Preparing" in controls.told.text()
    assert not any(isinstance(layer, Shapes) for layer in opened.viewer.layers)
    gate.set()
    qtbot.waitUntil(lambda: "Drag a rectangle" in controls.told.text(), timeout=20_000)
    (layer,) = (layer for layer in opened.viewer.layers if isinstance(layer, Shapes))
    assert layer.mode == "add_rectangle"
