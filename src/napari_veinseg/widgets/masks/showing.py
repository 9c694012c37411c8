"""Layers come in sight and leave it without holding the viewer for long."""

from collections.abc import Iterable

import napari
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer

_BREATH = 20  # ms, in which what is seen now is drawn


def set_visible(layer: Layer, visible: bool) -> None:
    """Show or hide a layer; napari renews its whole scene also where nothing changes."""
    if layer.visible != visible:
        layer.visible = visible


class LayersLeave(QObject):
    """Hides layers at once, and removes each in a turn of its own.

    Napari searches for garbage whenever a layer is removed: 15 to 50 ms for each.
    """

    def __init__(self, viewer: napari.Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self._layers = viewer.layers
        self._leaving: list[Layer] = []
        self._turn = QTimer(self, singleShot=True, interval=_BREATH)
        self._turn.timeout.connect(self._remove_next)

    def leave(self, layers: Iterable[Layer]) -> None:
        """Take layers out of sight, and then out of the viewer."""
        for layer in layers:
            set_visible(layer, False)
            self._leaving.append(layer)
        self._turn.start()

    def stop(self) -> None:
        """Leave in the viewer what is still there."""
        self._leaving.clear()

    def _remove_next(self) -> None:
        self._leaving = [each for each in self._leaving if each in self._layers]
        if self._leaving:
            self._layers.remove(self._leaving.pop(0))
            self._turn.start()
