"""A real viewer with no trace of the user's own models, and a model that costs nothing."""

import gc
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from napari.settings import get_settings
from napari.utils._proxies import PublicOnlyProxy
from napari.utils.notifications import notification_manager
from npe2 import PluginManifest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_veinseg.errors import Cancelled
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.segmentation.runtimes.devices import DeviceChoice
from napari_veinseg.segmentation.tiling.image_source import ImageSource
from napari_veinseg.segmentation.vein_model import Prediction
from napari_veinseg.training import run_folder as run_module
from napari_veinseg.widgets.common import engine, first_drawing, notify, warm_up
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.segment.segment import SegmentWidget


class StubModel:
    """The darker, the likelier a vein; with `gate` closed it stays in its first tile."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.calls = 0
        self.error = None
        self.digest = "d" * 64
        self.runtime = SimpleNamespace(lanes=lambda _most: nullcontext())

    def resolve(self, settings, image):
        known = settings if settings.min_size else replace(settings, min_size=4)
        return known.resolved(vein_width=6.0, threshold=0.5)

    def predict(self, image, settings, progress=None, cancelled=None):
        self.calls += 1
        if self.error is not None:
            raise self.error
        for tile in range(4):
            if progress:
                progress(tile, 4)
            while not self.gate.wait(0.005):
                if cancelled():
                    raise Cancelled("The work was cancelled.")
        if not isinstance(image, ImageSource):
            image = ImageSource(image, settings.channel, settings.invert)
        planes = [image.plane(index).sample for index in range(len(image))]
        grey = np.stack(planes).reshape(image.shape)
        low, high = float(grey.min()), float(grey.max())
        probability = ((high - grey) / max(high - low, 1e-6)).astype(np.float32)
        if settings.region is not None:
            rows, columns = settings.region.window(image.shape)
            inside = np.zeros(image.shape[-2:], bool)
            inside[rows, columns] = settings.region.inside(rows, columns)
            probability[..., ~inside] = 0
        settings = self.resolve(settings, image)
        mask = mask_from_probability(probability, settings.threshold, settings.min_size)
        return Prediction(probability, mask, settings)

    def probability(self, image, settings, **how):
        return self.predict(image, settings, **how).probability

    def segment(self, image, settings, **how):
        return self.predict(image, settings, **how).mask


@pytest.fixture(scope="session", autouse=True)
def napari_once():
    """Read the plugins' manifests once, not for each viewer, and write no settings of a person."""
    found = list(PluginManifest.discover())
    note = first_drawing.note()
    note.parent.mkdir(parents=True, exist_ok=True)
    note.touch()  # no test waits for a hidden window
    with (
        patch.object(PluginManifest, "discover", lambda paths=(): found),
        patch.object(get_settings(), "_save_on_change", False),
    ):
        yield


@pytest.fixture(autouse=True, scope="module")
def quick_collections():
    """Let garbage collections, several with each viewer, pass over all that is imported by now."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def isolated(monkeypatch, tmp_path):
    monkeypatch.setenv("VEINSEG_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(run_module, "runs_folder", lambda: tmp_path / "runs")
    monkeypatch.setattr(notify, "LOG_FILE", tmp_path / "log" / "veinseg.log")
    monkeypatch.setattr(warm_up, "_ready", {warm_up.show_mask, warm_up.show_lines})


@pytest.fixture
def told():
    """What the user was notified of during the test."""
    before = len(notification_manager.records)

    class Told:
        @property
        def texts(self):
            return [str(note.message) for note in notification_manager.records[before:]]

        @property
        def severities(self):
            return [str(note.severity) for note in notification_manager.records[before:]]

    return Told()


@pytest.fixture
def answer(qtbot):
    """Press a button of the next box that asks something; gives what it asked."""

    def press(name):
        asked = []

        def look():
            box = QApplication.activeModalWidget()
            if not isinstance(box, QMessageBox):
                QTimer.singleShot(20, look)
                return
            asked.append(box.text())
            (chosen,) = (each for each in box.buttons() if each.text().replace("&", "") == name)
            QTest.mouseClick(chosen, Qt.MouseButton.LeftButton)

        QTimer.singleShot(0, look)
        return asked

    return press


@pytest.fixture
def stub(monkeypatch):
    """A model behind the widgets that needs no torch."""
    model = StubModel()
    device = DeviceChoice("cpu", "CPU", "this is a test")
    monkeypatch.setattr(engine, "_device", device)
    monkeypatch.setattr(engine, "load_model", lambda path, reporter: model)
    return model


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def segment_in(stub, monkeypatch):
    """Make a Segment widget in a viewer, with the stub behind it."""
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    made = []

    def make(viewer):
        made.append(SegmentWidget(PublicOnlyProxy(viewer)))  # as napari does
        viewer.window.add_dock_widget(made[-1], name="Segment")
        return made[-1]

    yield make
    for widget in made:
        widget.job.abandon()


@pytest.fixture
def segment(viewer, segment_in):
    """A Segment widget in a viewer, with the stub behind it."""
    return segment_in(viewer)


@pytest.fixture
def press(qtbot):
    """Press Segment and wait until the run has ended."""

    def run(widget):
        widget.segment.click()
        qtbot.waitUntil(lambda: not widget.job.running, timeout=20_000)

    return run


@pytest.fixture
def vein_image():
    """A bright ground with one dark vein and one dark speck, 64 x 80."""
    image = np.full((64, 80), 200, np.uint8)
    image[30:36, :] = 60
    image[32:34, :] = 20
    image[5:7, 5:7] = 30
    return image
