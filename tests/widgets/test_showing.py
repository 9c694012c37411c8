"""Layers leave one by one, and what is in sight already is not shown again."""

import numpy as np
from qtpy.QtCore import QTimer

from napari_veinseg.widgets.masks.showing import LayersLeave, fit_view, set_visible


def test_layers_are_out_of_sight_at_once_and_removed_in_turns_of_their_own(viewer, qtbot):
    stays, *leaving = [viewer.add_points(np.zeros((1, 2))) for _ in range(4)]
    timer, counts = QTimer(), []
    timer.timeout.connect(lambda: counts.append(len(viewer.layers)))
    timer.start(0)
    LayersLeave(viewer).leave(leaving)
    assert not any(layer.visible for layer in leaving)
    assert stays.visible
    qtbot.waitUntil(lambda: list(viewer.layers) == [stays])
    assert {4, 3, 2} <= set(counts), "others have their turn between two of them"


def test_a_layer_that_somebody_removes_meanwhile_is_passed_over(viewer, qtbot):
    first, second = [viewer.add_points(np.zeros((1, 2))) for _ in range(2)]
    LayersLeave(viewer).leave([first, second])
    viewer.layers.remove(first)
    qtbot.waitUntil(lambda: not viewer.layers)


def test_none_leaves_after_a_stop(viewer, qtbot):
    layer = viewer.add_points(np.zeros((1, 2)))
    leave = LayersLeave(viewer)
    leave.leave([layer])
    leave.stop()
    qtbot.wait(100)
    assert layer in viewer.layers


def test_what_comes_in_place_of_what_leaves_has_its_name_and_the_whole_view(viewer, qtbot):
    large = viewer.add_image(np.zeros((600, 800)), name="arm")
    LayersLeave(viewer).leave([large])
    small = viewer.add_image(np.zeros((60, 80)), name="arm")
    assert large in viewer.layers
    fit_view(viewer)
    seen = viewer.scene.camera.center, viewer.scene.camera.zoom
    qtbot.waitUntil(lambda: list(viewer.layers) == [small])
    assert small.name == "arm"
    assert viewer.layers.selection.active is small
    viewer.reset_view()
    assert (viewer.scene.camera.center, viewer.scene.camera.zoom) == seen


def test_a_layer_in_sight_is_not_shown_again(viewer):
    layer, told = viewer.add_points(np.zeros((1, 2))), []
    layer.events.visible.connect(lambda: told.append(layer.visible))
    for visible in (True, False, False, True):
        set_visible(layer, visible)
    assert told == [False, True]
