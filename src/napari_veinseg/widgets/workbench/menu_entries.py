"""What the entries of napari's menus call: each opens the viewer's one workbench at its tab."""

import weakref
from contextlib import suppress

import napari
from qtpy.QtCore import QTimer

from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.workbench.workbench import Workbench

_open: "weakref.WeakKeyDictionary[object, Workbench]" = weakref.WeakKeyDictionary()


def open_workbench(tab: str) -> Workbench:
    """Return the workbench of the viewer for a new dock; it leaves the dock that it is in."""
    viewer = napari.current_viewer()
    if viewer is None:
        raise VeinSegError("There is no viewer: open napari first.")
    window = viewer.window._qt_window
    workbench = _open.get(window)
    if workbench is None or workbench.closed:
        workbench = _open[window] = Workbench(viewer)
    else:
        workbench.moving = True
        with suppress(LookupError):  # it is in no dock yet
            viewer.window.remove_dock_widget(workbench)
        workbench.moving = False
    workbench.tabs.show_tab(tab)
    QTimer.singleShot(0, workbench.settle_in_dock)
    return workbench


# napari's menus accept only functions or classes of widgets.
def open_segment() -> Workbench:
    """Open the workbench at Segment."""
    return open_workbench("Segment")


def open_correct() -> Workbench:
    """Open the workbench at Correct."""
    return open_workbench("Correct")


def open_train() -> Workbench:
    """Open the workbench at Train."""
    return open_workbench("Train")


def open_evaluate() -> Workbench:
    """Open the workbench at Evaluate."""
    return open_workbench("Evaluate")
