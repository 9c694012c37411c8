"""A person at the workbench: real mouse and key events, each counted."""

from unittest.mock import patch

import numpy as np
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from napari_veinseg.measurement.skeleton import centreline, trace
from tests.widgets.mouse import Mouse

LEFT = Qt.MouseButton.LeftButton


class Person:
    """Works through a folder in the workbench.

    Parameters
    ----------
    bench : Workbench
        In a shown viewer.
    wait : callable
        Waits until a condition holds.
    """

    def __init__(self, bench, wait):
        self.bench, self.viewer, self._wait = bench, bench.viewer, wait
        self.clicks = self.keys = self.paths = 0

    @property
    def actions(self):
        return self.clicks + self.keys + self.paths

    def press(self, button, place=None):
        """Click on a button, a box or a tab."""
        self.clicks += 1
        QTest.mouseClick(button, LEFT, pos=place or QPoint(min(10, button.width() // 2),
                                                           button.height() // 2))  # fmt: skip

    def key(self, key):
        """Press a key over the image."""
        self.keys += 1
        QTest.keyClick(self.viewer.window._qt_viewer.canvas.native, key)

    def click_image(self, place):
        self.clicks += 1
        Mouse(self.viewer, self.bench.session.shown.image).click(place)

    def open_folder(self, folder):
        """Press the button, choose the entry of its menu if it has one, choose the folder."""

        def choose(*_asked):
            self.paths += 1  # chosen once ...
            self.clicks += 1  # ... and confirmed
            return str(folder)

        def choose_entry():
            self.clicks += 1
            menu = self.bench.strip.menu
            entry = next(each for each in menu.actions() if each.text().startswith("Open a folder"))
            QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(entry).center())

        if self.bench.strip.folder.menu() is not None:  # a folder was open before
            QTimer.singleShot(300, choose_entry)  # some versions of Qt wait within the click
        with patch.object(QFileDialog, "getExistingDirectory", choose):
            self.press(self.bench.strip.folder)
            self._wait(lambda: self.paths == 1)

    def show_tab(self, name):
        bar = self.bench.tabs.tabBar()
        index = next(i for i in range(bar.count()) if bar.tabText(i) == name)
        self.press(bar, bar.tabRect(index).center())

    def wait_for_image(self, index):
        """Wait until an image and its mask are there."""
        session = self.bench.session

        def there():
            there = session.shown is not None and session.index == index and not session.waiting
            return there and session.shown.mask is not None and not session.working

        self._wait(there)

    def trace(self, start, end):
        """Draw a vein from click to click."""
        self.click_image(start)
        self.click_image(end)
        self.key(Qt.Key.Key_Return)

    def correct(self, truth):
        """Draw the two longest veins of the truth, and remove the longest branch elsewhere."""
        mask = self.bench.session.shown.mask
        tracing = self.bench.correct.tracing
        plane = self.bench.correct.edited_mask.displayed_plane()
        self.key(Qt.Key.Key_T)
        self._wait(lambda: tracing.find(plane) is not None)
        before = mask.data.copy()
        for path in longest_branches(truth == 1)[:2]:
            self.trace(path[len(path) // 8], path[-1 - len(path) // 8])
        drawn = mask.data.copy()
        branch = longest_branches((drawn == 1) & (before == 1))[0]
        self.key(Qt.Key.Key_D)
        self.click_image(branch[len(branch) // 2])


def longest_branches(veins):
    """Return the paths of the branches, the longest first, away from the border."""
    inner = np.zeros(veins.shape, bool)
    inner[3:-3, 3:-3] = True
    branches = trace(centreline(veins & inner)).branches
    return sorted((each.path for each in branches), key=len, reverse=True)
