"""What napari need not draw is drawn as soon as there is something to see."""

import numpy as np
import pytest

from napari_veinseg.widgets.common.canvas import spare_text


@pytest.mark.parametrize("kind", ["points", "shapes"])
def test_a_text_that_somebody_gives_to_a_layer_is_drawn(make_napari_viewer, qtbot, kind):
    viewer = make_napari_viewer(show=True)
    places = np.array([[0.0, 0], [50, 60], [90, 50]])
    if kind == "points":
        layer = viewer.add_points(places)
    else:
        layer = viewer.add_shapes([places], shape_type="path")
    spare_text(viewer, layer)
    qtbot.wait(100)
    before = viewer.screenshot(flash=False)
    layer.text = {"string": {"constant": "text"}, "color": "cyan", "size": 30}
    qtbot.wait(100)
    assert (viewer.screenshot(flash=False) != before).any(axis=-1).sum() > 500
