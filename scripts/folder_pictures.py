"""The way through a folder as pictures: a generator that stops where one is to be taken."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from staging import make_dataset, open_workbench, wait_until

from napari_veinseg.data.image_files import list_images
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.measurement.skeleton import centreline, trace
from napari_veinseg.training import run_folder as run_module
from napari_veinseg.widgets.workbench.recent_folders import FOLDER_VARIABLE
from napari_veinseg.widgets.workbench.workbench import Workbench

NAMES = ("folder_arrived", "folder_corrected", "folder_learning", "folder_next")
_IMAGES = 12
_REVIEWED = 5
_EACH = 20  # seconds that a person corrects an image; a model learns meanwhile
_LONGEST = 300  # seconds to wait for a version


def folder_story(viewer: napari.Viewer, data: Path | None) -> Iterator[str]:
    """Open a folder, correct, review, learn beside; give each picture's name when it is ready."""
    with TemporaryDirectory() as home:
        run_module.runs_folder = lambda: Path(home) / "runs"
        os.environ[FOLDER_VARIABLE] = home
        folder, truths = _make_folder(Path(home), data)
        bench = open_workbench(viewer, "Segment")
        yield from _story(viewer, bench, folder, truths)
        bench.learning.switch(False)
        wait_until(lambda: not bench.learning.follower.running)


def _make_folder(home: Path, data: Path | None) -> tuple[Path, list[Path]]:
    """Copy photographs of forearms where there are some, else draw fingers."""
    folder = home / ("fingers" if data is None else "forearms")
    folder.mkdir()
    if data is None:
        make_dataset(home / "drawn")
    source = home / "drawn" if data is None else data / "forearm_masks"
    images = list_images(source / "images")
    chosen = images[:: max(1, len(images) // _IMAGES)][:_IMAGES]  # of many people
    for image in chosen:
        shutil.copy(image, folder)
    return folder, [source / "masks" / image.name for image in chosen]


def _story(
    viewer: napari.Viewer, bench: Workbench, folder: Path, truths: list[Path]
) -> Iterator[str]:
    session, learning = bench.session, bench.learning
    session.open(folder)
    _wait_for(bench, 0)
    yield NAMES[0]
    _press(bench.status.beside.switch)
    bench.tabs.show_tab("Correct")
    _trace(bench, read_mask(truths[0]))
    yield NAMES[1]
    for index in range(_REVIEWED):
        _wait_for(bench, index)
        _draw(session.shown.mask, read_mask(truths[index]))
        _wait(_EACH)
        _key(viewer, "r")
    _wait_for(bench, _REVIEWED)
    end = time.monotonic() + _LONGEST
    wait_until(lambda: learning.in_use is not None or time.monotonic() > end)
    _key(viewer, "j")
    wait_until(lambda: not session.waiting and not session.working)
    yield NAMES[2]
    wait_until(
        lambda: len(session.folder.masks.doubts) > _IMAGES // 2 and not session.ahead.running
    )
    QTest.keyClick(_canvas(viewer), "J", Qt.KeyboardModifier.ShiftModifier)
    wait_until(lambda: not session.waiting and not session.working)
    menu, versions = bench.status.beside.menu, bench.status.beside.versions
    menu.popup(versions.mapToGlobal(QPoint(0, -200)))
    menu.move(versions.mapToGlobal(versions.rect().topRight()).x() - menu.width(), menu.y())
    yield NAMES[3]


def _trace(bench: Workbench, truth: np.ndarray) -> None:
    """Begin to trace the longest vein that the mask lacks."""
    missing = (truth == 1) & (bench.session.shown.mask.data != 1)
    branches = trace(centreline(missing)).branches
    path = max(branches, key=lambda branch: len(branch.path)).path.astype(float)
    tool = bench.correct.toolbox.tools[0]
    bench.correct.toolbox.use(tool)
    plane = bench.correct.edited_mask.displayed_plane()
    wait_until(lambda: bench.correct.tracing.find(plane) is not None)
    for part in (0.05, 0.5):
        tool.click(tuple(path[int(part * len(path))]), straight=False)
    tool.move(tuple(path[int(0.9 * len(path))]))


def _wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end)


def _draw(mask: Any, truth: np.ndarray) -> None:
    """Correct a mask wherever it is not the truth."""
    wrong = np.nonzero(mask.data != truth)
    mask.data_setitem(wrong, truth[wrong])


def _wait_for(bench: Workbench, index: int) -> None:
    session = bench.session

    def there() -> bool:
        there = session.shown is not None and session.index == index and not session.waiting
        return bool(there and session.shown.mask is not None and not session.working)

    wait_until(there)


def _press(box: Any) -> None:
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def _key(viewer: napari.Viewer, key: str) -> None:
    QTest.keyClick(_canvas(viewer), key)


def _canvas(viewer: napari.Viewer) -> Any:
    return viewer.window._qt_viewer.canvas.native
