"""What a tool is about to draw, shown above the layers without being one."""

from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from numpy.typing import NDArray
from vispy.scene.visuals import Line, Markers, Mesh

_RIBBON = (1.0, 0.86, 0.25, 0.5)
_MIDDLE = (1.0, 1.0, 1.0, 0.95)
_MARK = (1.0, 0.86, 0.25, 1.0)
_EDGE = (0.1, 0.1, 0.1, 1.0)
# Above every layer; napari gives its layers their place in the list.
_ORDER = 1_000_000


class Preview:
    """A vein, its clicks or a box, drawn on the canvas.

    Changing a Shapes layer takes tens of milliseconds and puts a layer into the user's list;
    these nodes take less than one and are in no list.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer; without a canvas nothing is drawn.
    layer : Labels
        The layer whose pixels the coordinates count.
    plane : tuple of int
        The index of the plane in it.
    """

    def __init__(self, viewer: napari.Viewer, layer: Labels, plane: tuple[int, ...]) -> None:
        self._layer, self._plane = layer, plane
        scene = _scene_of(viewer, layer)
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

    def show_vein(self, path: NDArray[np.float64], width: Any, clicks: NDArray[np.float64]) -> None:
        """Show a vein.

        Parameters
        ----------
        path : ndarray
            `(n, 2)`, its middle, (row, column).
        width : float or ndarray
            Its width in px, one or one a point.
        clicks : ndarray
            `(n, 2)`, where the user clicked.
        """
        self._ribbon.visible = self._middle.visible = len(path) > 1
        if len(path) > 1:
            left, right = _sides(path, np.broadcast_to(width, (len(path),)))
            corners = self._on_canvas(np.concatenate([left, right]))
            self._ribbon.set_data(vertices=corners, faces=_faces(len(path)), color=_RIBBON)
            self._middle.set_data(pos=self._on_canvas(path))
        self._show_marks(clicks)

    def show_box(self, corners: NDArray[np.float64]) -> None:
        """Show a rectangle.

        Parameters
        ----------
        corners : ndarray
            `(2, 2)`, two opposite corners, (row, column).
        """
        (top, left), (bottom, right) = corners
        around = np.array([[top, left], [top, right], [bottom, right], [bottom, left], [top, left]])
        self._ribbon.visible = self._middle.visible = True
        self._ribbon.set_data(
            vertices=self._on_canvas(around[:4]), faces=[[0, 1, 2], [0, 2, 3]], color=_RIBBON
        )
        self._middle.set_data(pos=self._on_canvas(around))

    def hide(self) -> None:
        """Show nothing."""
        for node in self._nodes:
            node.visible = False

    def remove(self) -> None:
        """Take the preview off the canvas for good."""
        for node in self._nodes:
            node.parent = None

    def _show_marks(self, clicks: NDArray[np.float64]) -> None:
        self._marks.visible = len(clicks) > 0
        if len(clicks):
            self._mark(clicks)

    def _mark(self, places: NDArray[np.float64]) -> None:
        self._marks.set_data(
            pos=self._on_canvas(places), size=8, face_color=_MARK, edge_color=_EDGE, edge_width=1
        )

    def _on_canvas(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        """Turn (row, column) of the plane into the (x, y) of the scene."""
        whole = np.zeros((len(points), self._layer.ndim))
        whole[:, : len(self._plane)] = self._plane
        whole[:, -2:] = points
        world = np.array([self._layer.data_to_world(point) for point in _anchors(whole)])
        # The transform is affine: three points say what it does to all.
        origin, down, right = world[:, -2:]
        places = origin + points[:, :1] * (down - origin) + points[:, 1:] * (right - origin)
        return np.ascontiguousarray(places[:, ::-1], np.float32)


def _anchors(whole: NDArray[np.float64]) -> NDArray[np.float64]:
    anchors = np.repeat(whole[:1], 3, axis=0)
    anchors[:, -2:] = [[0, 0], [1, 0], [0, 1]]
    return anchors


def canvas_of(viewer: napari.Viewer) -> Any:
    """Return napari's canvas; napari has no public way to draw above its layers.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, also as the guarded one that napari hands to plugins.

    Returns
    -------
    VispyCanvas or None
        None without a window.
    """
    window = getattr(getattr(viewer, "__wrapped__", viewer), "window", None)
    return None if window is None else window._qt_viewer.canvas


def _scene_of(viewer: napari.Viewer, layer: Labels) -> Any:
    canvas = canvas_of(viewer)
    return None if canvas is None else canvas.layer_to_visual[layer].node.parent


def _sides(
    path: NDArray[np.float64], width: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True) + 1e-9
    sideways = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) * width[:, None] / 2
    return path + sideways, path - sideways


def _faces(count: int) -> NDArray[np.uint32]:
    start = np.arange(count - 1)
    upper = np.stack([start, start + 1, start + count], axis=1)
    lower = np.stack([start + 1, start + count + 1, start + count], axis=1)
    return np.concatenate([upper, lower]).astype(np.uint32)
