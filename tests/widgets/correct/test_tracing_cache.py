"""What tracing needs belongs to the very pixels that are corrected."""

import numpy as np
from scipy import ndimage

from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.widgets.correct.trace_tool import TraceTool
from napari_veinseg.widgets.masks.layers import add_mask_layer
from tests.widgets.correct.scene import SHAPE, button_of, photograph, truth


def wide_photograph() -> np.ndarray:
    return ndimage.zoom(photograph()[:60, :90], 2, order=1)


def test_the_typical_width_is_that_of_the_image_that_is_corrected(viewer, correct_in, use):
    widget, labels, _ = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, TraceTool)
    own = widget.tracing.vein_width(())
    image = viewer.add_image(wide_photograph(), name="wide")
    wide = add_mask_layer(viewer, np.zeros(SHAPE, np.uint8), image)
    assert widget.edited_mask.layer is wide
    use(widget, TraceTool)
    assert widget.tracing.vein_width(()) == estimate_vein_width(wide_photograph())
    viewer.layers.selection.active = labels
    assert widget.edited_mask.layer is labels
    assert widget.tracing.vein_width(()) == own


def test_rest_is_unsure_is_the_same_whatever_was_traced_before(viewer, correct_in, use):
    after = []
    for traced_first in (False, True):
        viewer.layers.clear()
        widget, labels, _ = correct_in(viewer, truth())
        if traced_first:
            image = viewer.add_image(wide_photograph(), name="wide")
            add_mask_layer(viewer, np.zeros(SHAPE, np.uint8), image)
            use(widget, TraceTool)
            image.visible = False  # else it lies over the mask, which then is not written
            viewer.layers.selection.active = labels
        labels.data_setitem((np.array([57]), np.array([20])), 0)
        button_of(widget, "Rest is unsure").click()
        after.append(labels.data.copy())
        widget.close()
    np.testing.assert_array_equal(*after)
    assert 0 < (after[0] == 2).mean() < 1


def test_another_image_in_the_same_layer_is_looked_at_anew(viewer, correct_in, use, qtbot):
    widget, labels, mouse = correct_in(viewer, np.zeros(SHAPE, np.uint8))
    use(widget, TraceTool)
    viewer.layers["finger"].data = photograph()[::-1].copy()
    assert widget.tracing.find(()) is None
    qtbot.waitUntil(lambda: widget.tracing.find(()) is not None)
    mouse.click((60, 4))
    mouse.double_click((69, 60))
    traced = np.argwhere(labels.data[:, 30] == 1).mean()
    assert abs(traced - np.argwhere(truth()[::-1][:, 30]).mean()) < 2
