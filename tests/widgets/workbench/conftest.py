"""A workbench in a shown viewer, and a folder of three small images."""

import threading
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtTest import QTest

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.sample import Pair, Sample
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.evaluate.evaluate_work import OpenedImage
from napari_veinseg.widgets.masks.error_layer import is_agreement_layer
from napari_veinseg.widgets.train.both_masks import BothMasks
from napari_veinseg.widgets.workbench import recent_folders
from napari_veinseg.widgets.workbench.workbench import Workbench

NAMES = ["a.tif", "b.tif", "c.tif"]


def pair(stem, image, mask):
    """Make what is read of a sample."""
    return Pair(Sample(stem, Path(), Path()), image, mask)


@pytest.fixture
def folder(tmp_path, vein_image):
    path = tmp_path / "arms"
    path.mkdir()
    for number, name in enumerate(NAMES):
        write_image(path / name, np.roll(vein_image, 8 * number, axis=0))
    return path


@pytest.fixture
def model_file(tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_text("stub")
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: path))
    return path


@pytest.fixture
def new_bench(make_napari_viewer, stub, monkeypatch, tmp_path):
    """Make a workbench in a viewer of its own."""
    monkeypatch.setenv(recent_folders.FOLDER_VARIABLE, str(tmp_path / "config"))
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
    made = []

    def make():
        viewer = make_napari_viewer(show=True)
        made.append(Workbench(viewer))
        viewer.window.add_dock_widget(made[-1], name="Workbench")
        QTest.qWaitForWindowExposed(viewer.window._qt_window)
        return made[-1]

    yield make
    for bench in made:
        if not bench.closed:
            bench.close_down()
            for panel in bench.tabs.panels().values():
                panel.closing.emit()


@pytest.fixture
def bench(new_bench, model_file):
    return new_bench()


@pytest.fixture
def opened(bench, folder, qtbot):
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    return bench


@pytest.fixture
def slow_disk(monkeypatch):
    """Lets nobody read an image while it is closed."""
    gate, read = threading.Event(), ImageFolder.read
    gate.set()

    def wait_and_read(self, index):
        assert gate.wait(20)
        return read(self, index)

    monkeypatch.setattr(ImageFolder, "read", wait_and_read)
    yield gate
    gate.set()


def wait_for_mask(bench, qtbot, index):
    session = bench.session

    def is_there():
        there = session.shown is not None and session.index == index and not session.waiting
        return there and session.shown.mask is not None

    qtbot.waitUntil(is_there, timeout=20_000)


def open_in_train(bench, qtbot, stem, image, mask):
    """Show both masks of an image in Train."""
    both = BothMasks(pair(stem, image, mask), mask, mask)
    bench.train.comparison.masks.show_masks(both, "old")
    qtbot.waitUntil(lambda: _count_errors(bench) == 2)


def open_in_evaluate(bench, qtbot, stem, image, mask):
    """Show an image with its errors in Evaluate, as a click on its row does."""
    opened = OpenedImage(pair(stem, image, mask), "starter", mask)
    bench.evaluate.on_dataset._show_image(opened)
    qtbot.waitUntil(lambda: _count_errors(bench) == 1)


def _count_errors(bench):
    return sum(map(is_agreement_layer, bench.viewer.layers))


def press(bench, key):
    QTest.keyClicks(bench.viewer.window._qt_viewer.canvas.native, key)


def wait_until_saved(bench, qtbot):
    qtbot.waitUntil(lambda: not bench.session.queue.busy, timeout=20_000)
