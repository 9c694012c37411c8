"""What the pictures share: waiting, a small dataset, menus that stay open."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import napari
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QApplication, QMenu

from napari_veinseg.correction.autosave import FOLDER_VARIABLE
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.evaluate.dataset_evaluation import DatasetEvaluation
from napari_veinseg.widgets.workbench.workbench import Workbench


def wait_until(condition: Callable[[], bool], seconds: float = 1800) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("the program did not get ready for its picture")
        QApplication.processEvents()
        time.sleep(0.01)


@contextmanager
def nobodys_corrections() -> Iterator[None]:
    """Keep what is done for a picture apart from what a user may want to restore."""
    with TemporaryDirectory() as autosave:
        os.environ[FOLDER_VARIABLE] = autosave
        yield


def settle(seconds: float = 1.0) -> None:
    """Let Qt and OpenGL draw."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)


def wait_for_plots(judge: DatasetEvaluation) -> None:
    """Wait until the plots of an evaluation are drawn."""
    plots = (judge.distribution, judge.curve)
    wait_until(lambda: not any(plot.pixmap().isNull() for plot in plots))


def make_dataset(folder: Path) -> None:
    """Write two shots each of ten fingers before one camera, that no model was trained on."""
    from napari_veinseg.data.image_files import write_image
    from napari_veinseg.data.mask_files import write_mask
    from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger

    # Veins of one width, drawn wider than the starter does: there is something to learn.
    camera = SynthesisSettings(
        tree_share=0.0, vein_radius=(0.06, 0.07), drawn_core=1.2, contrast=(0.15, 0.4)
    )
    for room in ("images", "masks"):
        (folder / room).mkdir(parents=True)
    for finger in range(10):
        for shot in range(2):
            made = synthetic_finger(9_000_000 + finger, (160, 320), camera, shot)
            write_image(folder / "images" / f"finger{finger}_{shot}.tif", made.image)
            write_mask(folder / "masks" / f"finger{finger}_{shot}.tif", made.mask)


def open_workbench(viewer: napari.Viewer, name: str) -> Workbench:
    """Open the workbench at one of its tabs, as the menu does, and wait until it knows all."""
    _, opened = viewer.window.add_plugin_dock_widget("napari-veinseg", name)
    workbench = cast(Workbench, opened)
    wait_until(lambda: engine.known_device() is not None)
    return workbench


def open_menu(viewer: napari.Viewer, first: str, *others: str) -> None:
    """Open a menu and its submenus, and leave them open."""
    bar = viewer.window._qt_window.menuBar()
    action = _named(bar, first)
    menu = action.menu()
    menu.popup(bar.mapToGlobal(bar.actionGeometry(action).bottomLeft()))
    for name in others:
        settle(0.3)
        action = _named(menu, name)
        menu.setActiveAction(action)
        menu = action.menu() or menu


def open_menus() -> list[QMenu]:
    """Return the menus that are open, the first one first."""
    windows = QApplication.topLevelWidgets()
    menus = [each for each in windows if isinstance(each, QMenu) and each.isVisible()]
    return sorted(menus, key=lambda menu: menu.x())


def _named(menu: QMenu, name: str) -> QAction:
    texts = {each.text().replace("&", ""): each for each in menu.actions()}
    found = [action for text, action in texts.items() if text.startswith(name)]
    if not found:
        raise LookupError(f"no {name!r} in the menu, only {list(texts)}")
    return found[0]
