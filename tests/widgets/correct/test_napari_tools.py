"""What napari itself draws on a mask, which it builds for our layers only when it is used."""

import numpy as np
from qtpy.QtCore import Qt

from napari_veinseg.widgets.masks.layer_metadata import edited_pixels
from tests.widgets.correct.scene import SHAPE


def corners_clicked(mouse, corners):
    for corner in corners:
        mouse.move(corner)
        mouse.click(corner)
    mouse.move(corners[0])


def test_a_polygon_is_seen_while_it_is_drawn_and_filled_at_its_end(viewer, correct_in, qtbot):
    _, mask, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    mask.mode = "polygon"
    before = viewer.screenshot(flash=False)
    corners = [(20, 20), (20, 80), (70, 80), (70, 20)]
    corners_clicked(mouse, corners)
    qtbot.wait(30)
    assert (viewer.screenshot(flash=False) != before).any(axis=-1).sum() > 1000
    assert not mask.data.any()
    mouse.double_click(corners[0])
    inside = np.zeros(SHAPE, np.uint8)
    inside[20:71, 20:81] = 1
    np.testing.assert_array_equal(mask.data, inside)


def test_a_ring_drawn_with_the_brush_is_filled(viewer, correct_in, qtbot):
    """Napari's brush draws with the right button what it then fills."""
    _, mask, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    mask.mode = "paint"
    turn = np.linspace(0, 2 * np.pi, 40)
    ring = np.stack([60 + 30 * np.sin(turn), 90 + 30 * np.cos(turn)], axis=1)
    mouse.move(ring[0])
    mouse.click(ring[0], button=Qt.MouseButton.RightButton)
    for place in ring[1:]:
        mouse.move(place)
    assert mask.data[60, 90] == 1


def test_strokes_on_a_mask_of_other_things_are_the_user_s_however_many(viewer, correct_in):
    """Those that have left napari's history of a hundred, too."""
    widget, *_ = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    other = viewer.add_labels(np.zeros(SHAPE, np.uint8), name="other")
    assert widget.edited_mask.layer is other
    for column in range(120):
        other.data_setitem((np.array([5]), np.array([column])), 1)
    assert edited_pixels(other)[5, :120].all()
