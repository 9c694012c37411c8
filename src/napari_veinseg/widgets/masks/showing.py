"""Layers come in sight and leave it without holding the viewer for long."""

from collections.abc import Iterable, Iterator

import napari
from napari.layers import Layer

from napari_veinseg.widgets.common.turns import Turns


def set_visible(layer: Layer, visible: bool) -> None:
    """Show or hide a layer; napari renews its whole scene also where nothing changes."""
    if layer.visible != visible:
        layer.visible = visible


def fit_view(viewer: napari.Viewer) -> None:
    """Show whole what is in sight, whatever is hidden or leaves."""
    viewer.reset_view(layers=[layer for layer in viewer.layers if layer.visible] or None)


class LayersLeave:
    """Hides layers at once, and removes each in a turn of its own.

    Napari searches for garbage whenever a layer is removed: 15 to 50 ms for each.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._layers = viewer.layers
        self._leaving: list[Layer] = []
        # Of the window, not of a dock: a dock that closes takes its layers with it.
        self._turns = Turns("Removing layers", viewer.window._qt_window)

    def leave(self, layers: Iterable[Layer]) -> None:
        """Take layers out of sight, and then out of the viewer: a mask before its image."""
        for layer in reversed(list(layers)):
            set_visible(layer, False)
            layer.name = f"{layer.name} (leaves)"  # what comes in its place may have its name
            self._leaving.append(layer)
        if not self._turns.running:
            self._turns.begin(self._remove())

    def stop(self) -> None:
        """Leave in the viewer what is still there."""
        self._turns.stop()
        self._leaving.clear()

    def _remove(self) -> Iterator[None]:
        while self._leaving:
            yield
            layer = self._leaving.pop(0)
            if layer in self._layers:
                self._layers.remove(layer)
