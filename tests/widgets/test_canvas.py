"""What napari need not draw is drawn as soon as there is something to see."""

import numpy as np
import pytest
from napari.layers import Points, Shapes

from napari_veinseg.widgets.common.canvas import spare_empty

PLACES = np.array([[0.0, 0], [50, 60], [90, 50]])


def drawn(viewer, qtbot):
    qtbot.wait(100)
    return viewer.screenshot(flash=False).astype(int)


def pixels_changed(viewer, qtbot, before):
    return (drawn(viewer, qtbot) != before).any(axis=-1).sum()


def spared(viewer, kind):
    layer = Points(PLACES) if kind == "points" else Shapes([PLACES], shape_type="path")
    viewer.add_layer(layer)
    spare_empty(viewer, layer)
    return layer


@pytest.mark.parametrize("kind", ["points", "shapes"])
def test_a_text_that_somebody_gives_to_a_layer_is_drawn(make_napari_viewer, qtbot, kind):
    viewer = make_napari_viewer(show=True)
    layer = spared(viewer, kind)
    before = drawn(viewer, qtbot)
    layer.text = {"string": {"constant": "text"}, "color": "cyan", "size": 30}
    assert pixels_changed(viewer, qtbot, before) > 500


@pytest.mark.parametrize("kind", ["points", "shapes"])
def test_what_is_chosen_in_a_layer_is_highlighted(make_napari_viewer, qtbot, kind):
    viewer = make_napari_viewer(show=True)
    layer = spared(viewer, kind)
    before = drawn(viewer, qtbot)
    layer.mode = "select"
    layer.selected_data = {0}
    assert pixels_changed(viewer, qtbot, before) > 50


def test_the_first_shape_of_an_empty_layer_is_drawn_with_its_corners(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((100, 100)))
    layer = viewer.add_shapes(ndim=2, face_color="red")
    spare_empty(viewer, layer)
    visual = viewer.window._qt_viewer.canvas.layer_to_visual[layer].node
    before = drawn(viewer, qtbot)
    assert not any(part.visible for part in visual._subvisuals)
    layer.mode = "add_rectangle"
    layer.add(np.array([[20.0, 20], [60, 60]]), shape_type="rectangle")
    assert pixels_changed(viewer, qtbot, before) > 1000
    assert visual.shape_faces.visible
    assert visual.highlight_vertices.visible
