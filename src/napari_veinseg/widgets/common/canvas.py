"""What lies behind napari's layers: its canvas, which it gives no public way to."""

from typing import Any

import napari
from napari.layers import Points, Shapes
from qtpy.QtWidgets import QWidget

from napari_veinseg.widgets.common.form import connect_while_alive


def canvas_of(viewer: napari.Viewer) -> Any:
    """Return napari's canvas, or None where there is no window."""
    window = getattr(getattr(viewer, "__wrapped__", viewer), "window", None)
    return None if window is None else window._qt_viewer.canvas


def spare_text(viewer: napari.Viewer, layer: Points | Shapes) -> None:
    """Leave a layer's text out of its drawing until somebody gives it one.

    Napari draws the empty text of each layer.  Building its shader holds the viewer for 30 ms at
    each layer, and for 0.4 s where a program draws text for the first time.
    """
    canvas = canvas_of(viewer)
    if canvas is not None:
        text = canvas.layer_to_visual[layer].node.text
        text.visible = False
        layer.text.events.connect(lambda _event: setattr(text, "visible", True))


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
