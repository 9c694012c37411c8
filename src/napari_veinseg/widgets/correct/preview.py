"""What a tool is about to draw, shown above the layers without being one."""

from collections.abc import Sequence
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from vispy.scene.visuals import Line, Markers, Mesh

from napari_veinseg.correction.lines import normals
from napari_veinseg.data.array_types import Points
from napari_veinseg.widgets.common.canvas import canvas_of
from napari_veinseg.widgets.masks.layers import in_stack

_RIBBON = (1.0, 0.86, 0.25, 0.5)
_MIDDLE = (1.0, 1.0, 1.0, 0.95)
_MARK = (1.0, 0.86, 0.25, 1.0)
_GOES = (1.0, 0.25, 0.15, 0.75)
_PIXEL_CORNERS = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]])
_EDGE = (0.1, 0.1, 0.1, 1.0)
# Above every layer; napari gives its layers their place in the list.
_ORDER = 1_000_000


class Preview:
    """A vein, its clicks or a box, drawn on the canvas.

    Changing a Shapes layer takes tens of milliseconds and puts a layer into the user's list;
    these nodes take less than one and are in no list.
    """

    def __init__(self, viewer: napari.Viewer, layer: Labels, plane: tuple[int, ...]) -> None:
        self._layer, self._plane = layer, plane
        canvas = canvas_of(viewer)
        scene = None if canvas is None else canvas.layer_to_visual[layer].node.parent
        self._ribbon = Mesh(color=_RIBBON, parent=scene)
        self._middle = Line(color=_MIDDLE, width=1.5, parent=scene)
        self._marks = Markers(parent=scene)
        # Turning to 3D asks each node for its bounds, which markers without a place do not know.
        self._mark(np.zeros((1, 2)))
        self._nodes = (self._ribbon, self._middle, self._marks)
        for place, node in enumerate(self._nodes):
            node.order = _ORDER + place
            node.set_gl_state("translucent", depth_test=False, cull_face=False)
            node.visible = False

    def show_vein(self, path: Points, width: Any, clicks: Points) -> None:
        """Show a vein."""
        self._ribbon.visible = self._middle.visible = len(path) > 1
        if len(path) > 1:
            aside = normals(path) * np.broadcast_to(width, (len(path),))[:, None] / 2
            corners = self._on_canvas(np.concatenate([path + aside, path - aside]))
            self._ribbon.set_data(vertices=corners, faces=_faces(len(path)), color=_RIBBON)
            self._middle.set_data(pos=self._on_canvas(path), connect="strip")
        self._marks.visible = len(clicks) > 0
        if len(clicks):
            self._mark(clicks)

    def show_pixels(self, rows: NDArray[Any], columns: NDArray[Any]) -> None:
        """Show the pixels that a click takes away."""
        self._middle.visible = self._marks.visible = False
        self._ribbon.visible = len(rows) > 0
        if len(rows):
            self._fill(np.stack([rows, columns], axis=1)[:, None] + _PIXEL_CORNERS, _GOES)

    def show_outline(self, region: NDArray[np.bool_]) -> None:
        """Show the border of a region."""
        self._ribbon.visible = self._marks.visible = False
        padded = np.pad(region, 1)
        below = np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]) - (0.5, 0.5)
        beside = np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]) - (0.5, 0.5)
        sides = [below, np.add(below, (0, 1)), beside, np.add(beside, (1, 0))]
        ends = np.concatenate([np.stack(sides[:2], 1), np.stack(sides[2:], 1)]).reshape(-1, 2)
        self._middle.visible = len(ends) > 0
        if len(ends):
            self._middle.set_data(pos=self._on_canvas(ends), connect="segments", color=_MARK)

    def show_boxes(self, boxes: Sequence[Points]) -> None:
        """Show rectangles, each by two opposite corners."""
        self._ribbon.visible = self._middle.visible = len(boxes) > 0
        if not boxes:
            return
        around = np.array([[[a, b], [a, d], [c, d], [c, b]] for (a, b), (c, d) in boxes])
        self._fill(around, _RIBBON)
        sides = np.stack([around, np.roll(around, -1, axis=1)], axis=2).reshape(-1, 2)
        self._middle.set_data(pos=self._on_canvas(sides), connect="segments")

    def hide(self) -> None:
        """Show nothing."""
        for node in self._nodes:
            node.visible = False

    def remove(self) -> None:
        """Take the preview off the canvas for good."""
        for node in self._nodes:
            node.parent = None

    def _fill(self, quadrangles: NDArray[Any], colour: tuple[float, ...]) -> None:
        """Fill what has four corners each, `(n, 4, 2)`."""
        first = np.arange(len(quadrangles))[:, None, None] * 4
        faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)
        corners = self._on_canvas(quadrangles.reshape(-1, 2))
        self._ribbon.set_data(vertices=corners, faces=faces, color=colour)

    def _mark(self, places: Points) -> None:
        self._marks.set_data(
            pos=self._on_canvas(places), size=8, face_color=_MARK, edge_color=_EDGE, edge_width=1
        )

    def _on_canvas(self, points: Points) -> NDArray[np.float32]:
        """Turn (row, column) of the plane into the (x, y) of the scene."""
        anchors = in_stack([[0, 0], [1, 0], [0, 1]], self._plane)
        world = np.array([self._layer.data_to_world(point) for point in anchors])
        # The transform is affine: three points say what it does to all.
        origin, down, right = world[:, -2:]
        places = origin + points[:, :1] * (down - origin) + points[:, 1:] * (right - origin)
        return np.ascontiguousarray(places[:, ::-1], np.float32)


def _faces(count: int) -> NDArray[np.uint32]:
    start = np.arange(count - 1)
    upper = np.stack([start, start + 1, start + count], axis=1)
    lower = np.stack([start + 1, start + count + 1, start + count], axis=1)
    return np.concatenate([upper, lower]).astype(np.uint32)
