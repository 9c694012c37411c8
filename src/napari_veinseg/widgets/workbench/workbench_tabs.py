"""The four tabs of the workbench, of which one is in sight."""

import napari
from qtpy.QtWidgets import QTabWidget

from napari_veinseg.widgets.common.canvas import focus_canvas
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget
from napari_veinseg.widgets.segment.segment import SegmentWidget
from napari_veinseg.widgets.train.train import TrainWidget


class WorkbenchTabs(QTabWidget):
    """Segment, Correct, Train and Evaluate."""

    def __init__(self, viewer: napari.Viewer) -> None:
        super().__init__()
        self.segment = SegmentWidget(viewer)
        self.correct = CorrectWidget(viewer)
        self.train = TrainWidget(viewer)
        self.evaluate = EvaluateWidget(viewer)
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)  # else a bright line, of no theme's colour
        for name, panel in self.panels().items():
            self.addTab(panel, name)
        self.currentChanged.connect(self._keep_keyboard_from_controls)
        self.currentChanged.connect(self._put_tool_down)

    def panels(self) -> dict[str, Panel]:
        """Return the tabs by their names."""
        return {
            "Segment": self.segment,
            "Correct": self.correct,
            "Train": self.train,
            "Evaluate": self.evaluate,
        }

    def show_tab(self, name: str) -> None:
        """Bring a tab to the front, and the keyboard to the canvas."""
        self.setCurrentWidget(self.panels()[name])
        focus_canvas(self.segment.viewer)

    def _keep_keyboard_from_controls(self, _index: int) -> None:
        """Give the tab the keyboard that Qt hands to its first button, which Space would press."""
        shown, has_it = self.currentWidget(), self.window().focusWidget()
        if shown is not None and has_it is not None and shown.isAncestorOf(has_it):
            shown.setFocus()

    def _put_tool_down(self, _index: int) -> None:
        """End a drawing tool whose button is out of sight: a click would draw with it."""
        if self.currentWidget() is not self.correct:
            self.correct.toolbox.use(None)
