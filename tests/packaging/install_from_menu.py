"""Install a wheel with napari's own plugin installer and open the Segment widget from the menu.

Run by `test_install.py` with the Python of a fresh environment: WHEEL [SCREENSHOT].
"""

import sys

import napari
from napari_plugin_manager.base_qt_package_installer import InstallerTools
from napari_plugin_manager.qt_package_installer import NapariInstallerQueue
from npe2 import PluginManager
from qtpy.QtCore import QEventLoop, QThreadPool
from qtpy.QtWidgets import QApplication, QMenu

PLUGIN = "Vein segmentation"


def install(wheel: str) -> None:
    queue = NapariInstallerQueue()
    loop = QEventLoop()
    codes: list[int] = []
    queue.allFinished.connect(lambda finished: (codes.extend(finished), loop.quit()))
    queue.install(tool=InstallerTools.PYPI, pkgs=[wheel])
    loop.exec()
    assert codes == [0], f"the installer ended with {codes}"
    PluginManager.instance().discover()


def choose(menu: QMenu, *titles: str) -> None:
    for title in titles:
        menu.aboutToShow.emit()  # menus of plugins are filled when they open
        entries = {action.text().replace("&", ""): action for action in menu.actions()}
        action = next((entries[text] for text in entries if text.startswith(title)), None)
        assert action is not None, f"no {title!r} among {sorted(entries)}"
        if action.menu() is None:
            action.trigger()
            return
        menu = action.menu()


def main(wheel: str, screenshot: str | None = None) -> None:
    viewer = napari.Viewer()
    install(wheel)
    choose(viewer.window.plugins_menu, PLUGIN, "Segment")
    QApplication.processEvents()
    docked = list(viewer.window.dock_widgets)
    assert any("Segment" in title for title in docked), docked
    if screenshot:
        viewer.screenshot(screenshot, canvas_only=False)
    assert "napari_veinseg" in sys.modules
    # The widget is loading torch; napari's own event loop waits for that when it quits.
    QThreadPool.globalInstance().waitForDone(60_000)
    viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
