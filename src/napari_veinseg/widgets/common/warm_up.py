"""Parts of napari's layers that numba compiles at their first use in a new home: seconds each.

A worker has them compiled before the viewer's thread needs them.  Numba keeps them on disk, so that
the next session finds them ready, and in the same process the second call costs nothing.
"""

import threading
from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels, Shapes
from napari.utils.colormaps import DirectLabelColormap
from vispy.visuals.line.dash_atlas import DashAtlas

from napari_veinseg.data.labels import LABEL_COLOURS
from napari_veinseg.widgets.common.garbage_collection import loading
from napari_veinseg.widgets.common.jobs import Reporter, Step

_lock = threading.Lock()
_ready: set[Callable[[], object]] = set()


def prepare_masks(reporter: Reporter) -> None:
    """Compile what shows a mask."""
    _once(_make_mask, reporter)


def prepare_lines(reporter: Reporter) -> None:
    """Compile what shows lines and outlines."""
    _once(_make_lines, reporter)


def lines_are_ready() -> bool:
    """Say whether lines can be shown without compiling anything."""
    return _make_lines in _ready


def _once(make: Callable[[], object], reporter: Reporter) -> None:
    if make not in _ready:
        reporter.tell(Step(0, 0, "Preparing the display…"))
        with _lock:
            if make not in _ready:
                with loading():
                    make()
                _ready.add(make)


def _make_mask() -> None:
    """Draw a mask that no viewer shows, as the masks of the docks are drawn."""
    mask = np.zeros((16, 16), np.uint8)
    mask[4:8] = 1
    layer = Labels(mask, colormap=DirectLabelColormap(color_dict=LABEL_COLOURS))
    layer.contour = 1
    layer.data_setitem((np.array([1]), np.array([1])), 1)
    DashAtlas()  # of the outline of napari's polygon tool; vispy keeps its patterns


def _make_lines() -> None:
    path = np.array([[0.0, 0.0], [4.0, 5.0], [9.0, 5.0]])
    layer = Shapes([path], shape_type="path", face_color="transparent")
    layer.add(np.array([[1.0, 1.0], [5.0, 6.0]]), shape_type="rectangle")
    layer.add(path, shape_type="polygon")
    viewer = ViewerModel()  # an empty layer that is shown, and a box around what is chosen
    empty = viewer.add_layer(Shapes(ndim=2))
    empty.mode = "add_rectangle"
    empty.add(np.array([[1.0, 1.0], [5.0, 6.0]]), shape_type="rectangle")
    empty.selected_data = {0}
