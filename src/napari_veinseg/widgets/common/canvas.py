"""What lies behind napari's layers: its canvas, which it gives no public way to."""

from collections.abc import Callable
from typing import Any

import napari
import numpy as np
from napari.layers import Layer, Points, Shapes
from qtpy.QtWidgets import QWidget

from napari_veinseg.widgets.common.form import connect_while_alive


def canvas_of(viewer: napari.Viewer) -> Any:
    """Return napari's canvas, or None where there is no window."""
    window = getattr(getattr(viewer, "__wrapped__", viewer), "window", None)
    return None if window is None else window._qt_viewer.canvas


def focus_canvas(viewer: napari.Viewer) -> None:
    """Let the keys reach the canvas without a click on it first."""
    canvas = canvas_of(viewer)
    if canvas is not None:
        canvas.native.setFocus()


def end_strokes(layer: Layer) -> None:
    """End what the mouse draws on a layer, as if its button had been let go."""
    for stroke in layer._mouse_drag_gen.values():
        stroke.close()
    layer._mouse_drag_gen.clear()
    layer._persisted_mouse_event.clear()


def spare_empty(viewer: napari.Viewer, layer: Points | Shapes) -> None:
    """Leave out of a layer's drawing what it has none of: shapes, text, and what is highlighted.

    Napari draws each of them empty.  That holds the viewer for 10 ms at each layer, and for up to
    0.4 s where a program draws it for the first time.  Once there is something, it is drawn.
    """
    canvas = canvas_of(viewer)
    if canvas is None:
        return
    node, events = canvas.layer_to_visual[layer].node, layer.events
    highlights = [node.highlight_lines]
    if isinstance(layer, Shapes):
        highlights += [node.shape_highlights, node.highlight_vertices]
        _show_when([node.shape_faces], lambda: len(layer.data) > 0, events.data)
    else:
        highlights += [node.selection_markers]

    def may_be_highlighted() -> bool:
        chosen = bool(layer.selected_data) or layer.mode != "pan_zoom"
        return chosen and len(layer.data) > 0

    _show_when(highlights, may_be_highlighted, events.highlight, events.mode)
    _show_when([node.text], lambda: bool(np.any(layer.text.values != "")), layer.text.events)


def _show_when(parts: list[Any], wanted: Callable[[], bool], *events: Any) -> None:
    def show(_event: object = None) -> None:
        if not parts[0].visible and wanted():
            for part in parts:
                part.visible = True

    for part in parts:
        part.visible = False
    for event in events:
        event.connect(show)
    show()


class LayersGoSafely:
    """Has napari free what a removed layer has drawn where it was drawn, while a widget lives.

    Napari frees it at once, in whichever OpenGL context Qt was in last.  That is mostly not the
    canvas's, and an image that was added next ended the program (napari 0.9.2 alone, Mesa 22.3).
    """

    def __init__(self, viewer: napari.Viewer, widget: QWidget) -> None:
        self._viewer = viewer
        connect_while_alive(widget, viewer.layers.events.removing, self._enter_context)

    def _enter_context(self, _event: object) -> None:
        canvas = canvas_of(self._viewer)
        if canvas is not None and canvas.native.isValid():
            canvas.native.makeCurrent()
