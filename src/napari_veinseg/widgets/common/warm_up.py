"""Parts of napari's layers that numba compiles at their first use in a new home: seconds each.

A worker has them compiled before the viewer's thread needs them.  Numba keeps them on disk, so that
the next session finds them ready, and in the same process the second call costs nothing.  In a new
home the hidden window of `first_drawing` has compiled them already, with what OpenGL needs.
"""

import threading
from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points, Shapes
from napari.utils.colormaps import DirectLabelColormap
from napari.utils.transforms import Affine
from vispy.visuals.line.dash_atlas import DashAtlas

from napari_veinseg.data.labels import LABEL_COLOURS
from napari_veinseg.widgets.common import first_drawing
from napari_veinseg.widgets.common.garbage_collection import loading
from napari_veinseg.widgets.common.jobs import Reporter, Step

_lock = threading.Lock()
_ready: set[Callable[..., None]] = set()


def read_units() -> None:
    """Have napari read its units of length, for 0.1 s; in the viewer's thread.

    Its first layer does so, and another thread that makes a layer meanwhile finds half of them.
    """
    Affine(ndim=2)


def prepare_masks(reporter: Reporter) -> None:
    """Compile what shows a mask."""
    _once(show_mask, reporter)


def prepare_lines(reporter: Reporter) -> None:
    """Compile what shows lines and outlines."""
    _once(show_lines, reporter)


def lines_are_ready() -> bool:
    """Say whether lines can be shown without compiling anything."""
    return show_lines in _ready


def _once(show: Callable[[ViewerModel, Callable[[], object]], None], reporter: Reporter) -> None:
    if show not in _ready:
        reporter.tell(Step(0, 0, "Preparing the display…"))
        first_drawing.wait(reporter.cancelled)
        with _lock:
            if show not in _ready:
                with loading():
                    show(ViewerModel(), lambda: None)
                    DashAtlas()  # of the outline of napari's polygon tool; vispy keeps its patterns
                _ready.add(show)


def show_mask(viewer: ViewerModel, draw: Callable[[], object]) -> None:
    """Put images and a mask into a viewer as the docks do, and have each drawn."""
    side = 16
    for pixels in (np.zeros((side, side), kind) for kind in (np.uint8, np.uint16, np.float32)):
        viewer.add_layer(Image(pixels))
        draw()
    viewer.add_layer(Image(np.zeros((side, side, 3), np.uint8), rgb=True))
    mask = np.zeros((side, side), np.uint8)
    mask[4:8] = 1
    layer = Labels(mask, opacity=0.7, colormap=DirectLabelColormap(color_dict=LABEL_COLOURS))
    viewer.add_layer(layer)
    draw()
    layer.data = mask.copy()  # as the next image's mask is shown
    draw()
    layer.contour = 1
    layer.data_setitem((np.array([1]), np.array([1])), 1)
    draw()


def show_lines(viewer: ViewerModel, draw: Callable[[], object]) -> None:
    """Put a region, points and lines into a viewer as the docks do, and have each drawn."""
    region = viewer.add_layer(Shapes(ndim=2, face_color="transparent"))
    region.mode = "add_rectangle"
    draw()
    region.add(np.array([[1.0, 1.0], [5.0, 6.0]]), shape_type="rectangle")
    region.mode = "select"
    region.selected_data = {0}  # a box around what is chosen
    draw()
    viewer.add_layer(Points(np.array([[1.0, 1.0]]), size=5, border_width=0.1))
    draw()
    path = np.array([[0.0, 0.0], [4.0, 5.0], [9.0, 5.0]])
    lines = Shapes([path], shape_type="path", face_color="transparent")
    lines.add(path, shape_type="polygon")
    viewer.add_layer(lines)
    draw()
