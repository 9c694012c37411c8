"""Veins as lines of a Shapes layer, and back."""

import numpy as np
import pytest
from napari.layers import Shapes

from napari_veinseg.widgets.common import jobs
from tests.widgets.correct.scene import PLACES, button_of, dice, truth


def test_veins_become_lines_beside_the_viewer(qtbot, viewer, correct_in, monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 0)
    widget, *_ = correct_in(viewer, truth())
    button_of(widget, "Veins to lines").click()
    qtbot.waitUntil(lambda: not widget.work.job.running)
    lines = next(layer for layer in viewer.layers if isinstance(layer, Shapes))
    assert len(lines.data) >= 2


@pytest.mark.parametrize("place", PLACES)
def test_veins_become_lines_and_veins_again(viewer, correct_in, place):
    widget, labels, _ = correct_in(viewer, truth(), **PLACES[place])
    button_of(widget, "Veins to lines").click()
    shapes = viewer.layers[-1]
    assert isinstance(shapes, Shapes)
    assert len(shapes.data) == 3
    shapes.selected_data = {0}
    shapes.remove_selected()
    viewer.layers.selection.active = labels
    button_of(widget, "Lines to veins").click()
    left = (labels.data == 1).sum() / (truth() == 1).sum()
    assert 0.3 < left < 0.9
    labels.undo()
    np.testing.assert_array_equal(labels.data, truth())


def test_lines_that_have_their_widths_need_no_image(viewer, correct_in, told):
    widget, labels, _ = correct_in(viewer, truth())
    button_of(widget, "Veins to lines").click()
    viewer.layers.remove("finger")
    labels.data[:] = 0
    button_of(widget, "Lines to veins").click()
    assert told.texts == []
    assert dice(labels.data == 1, truth() == 1) > 0.9


def test_drawn_lines_are_added_with_the_width(viewer, correct_in):
    widget, labels, _ = correct_in(viewer, truth())
    widget.toolbox.vein_width.setValue(7)
    viewer.add_shapes([[[100, 20], [100, 120]]], shape_type="line")
    button_of(widget, "Lines to veins").click()
    assert labels.data[:, 70][90:110].sum() == 7
    assert (labels.data[truth() == 1] == 1).all()
