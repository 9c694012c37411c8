"""Layers leave one by one, and what is in sight already is not shown again."""

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_veinseg.widgets.masks.showing import LayersLeave, set_visible


def test_layers_are_out_of_sight_at_once_and_removed_in_turns_of_their_own(viewer, qtbot):
    stays, *leaving = [viewer.add_points(np.zeros((1, 2))) for _ in range(4)]
    parent, counts = QObject(), []
    timer = QTimer(parent)
    timer.timeout.connect(lambda: counts.append(len(viewer.layers)))
    timer.start(0)
    LayersLeave(viewer, parent).leave(leaving)
    assert not any(layer.visible for layer in leaving)
    assert stays.visible
    qtbot.waitUntil(lambda: list(viewer.layers) == [stays])
    assert {4, 3, 2} <= set(counts), "others have their turn between two of them"


def test_a_layer_that_somebody_removes_meanwhile_is_passed_over(viewer, qtbot):
    first, second = [viewer.add_points(np.zeros((1, 2))) for _ in range(2)]
    parent = QObject()
    LayersLeave(viewer, parent).leave([first, second])
    viewer.layers.remove(first)
    qtbot.waitUntil(lambda: not viewer.layers)


def test_none_leaves_after_a_stop(viewer, qtbot):
    layer, parent = viewer.add_points(np.zeros((1, 2))), QObject()
    leave = LayersLeave(viewer, parent)
    leave.leave([layer])
    leave.stop()
    qtbot.wait(100)
    assert layer in viewer.layers


def test_a_layer_in_sight_is_not_shown_again(viewer):
    layer, told = viewer.add_points(np.zeros((1, 2))), []
    layer.events.visible.connect(lambda: told.append(layer.visible))
    for visible in (True, False, False, True):
        set_visible(layer, visible)
    assert told == [False, True]
