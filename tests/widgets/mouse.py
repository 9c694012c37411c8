"""Real mouse and key events on napari's canvas."""

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

LEFT = Qt.MouseButton.LeftButton


class Mouse:
    """Moves and clicks over pixels of a layer.

    Parameters
    ----------
    viewer : napari.Viewer
        A shown viewer.
    layer : napari layer
        The layer whose (row, column) the places are.
    """

    def __init__(self, viewer, layer):
        self._viewer, self._layer = viewer, layer
        self.canvas = viewer.window._qt_viewer.canvas

    def where(self, place) -> QPoint:
        """Return the canvas position of a pixel of the displayed plane."""
        index = np.array(self._layer.world_to_data(self._viewer.dims.point))
        index[-2:] = place
        world = np.array(self._layer.data_to_world(index))[-2:]
        view = self.canvas.view
        origin, right, down = (
            np.array(self.canvas._map_canvas2world(position, view))[-2:]
            for position in ((0, 0), (100, 0), (0, 100))
        )
        x, y = 100 * np.linalg.solve(np.stack([right - origin, down - origin], 1), world - origin)
        return QPoint(round(x), round(y))

    def move(self, place):
        QTest.mouseMove(self.canvas.native, self.where(place))
        QTest.qWait(15)  # napari listens to moves every few milliseconds

    def click(self, place, modifier=Qt.KeyboardModifier.NoModifier, button=LEFT):
        QTest.mouseClick(self.canvas.native, button, modifier, self.where(place))

    def double_click(self, place):
        self.click(place)
        QTest.mouseDClick(
            self.canvas.native, LEFT, Qt.KeyboardModifier.NoModifier, self.where(place)
        )

    def drag(self, start, end):
        native = self.canvas.native
        QTest.mousePress(native, LEFT, Qt.KeyboardModifier.NoModifier, self.where(start))
        for part in (0.3, 0.7, 1.0):
            place = np.array(start) + part * (np.array(end) - start)
            QTest.mouseMove(native, self.where(place))
            QTest.qWait(15)
        QTest.mouseRelease(native, LEFT, Qt.KeyboardModifier.NoModifier, self.where(end))

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas.native, key, modifier)
