"""The Segment widget with real models."""

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_veinseg import VeinModel
from napari_veinseg.data.sample_data import sample_finger
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common import engine, model_choice
from napari_veinseg.widgets.common.device_in_use import DeviceInUse
from napari_veinseg.widgets.common.jobs import Reporter
from napari_veinseg.widgets.common.model_choice import IMPORT, ModelChoice
from napari_veinseg.widgets.segment.segment import SegmentWidget
from tests.models import write_small_model


def test_the_starter_gives_what_the_api_gives(viewer, press, qtbot, told):
    image = sample_finger().image
    widget = SegmentWidget(viewer)
    viewer.window.add_dock_widget(widget)
    device = DeviceInUse()
    qtbot.waitUntil(lambda: "Loading" not in device.text(), timeout=60_000)
    assert "CPU" in device.text() or "GPU" in device.text()
    viewer.add_image(image)
    assert widget.model.name == "starter"
    press(widget)
    mask = viewer.layers[-1]
    assert isinstance(mask, Labels), told.texts
    np.testing.assert_array_equal(mask.data, VeinModel.load("starter").segment(image))
    assert widget.mask.threshold.value() == pytest.approx(
        VeinModel.load("starter").card.threshold, abs=0.01
    )


def test_a_model_file_that_is_gone_is_said_in_one_sentence(tmp_path):
    gone = tmp_path / "0004.safetensors"
    with pytest.raises(VeinSegError, match=r"0004.safetensors cannot be opened"):
        engine.load_model(gone, Reporter(print))


@pytest.fixture
def models(qtbot):
    widget = ModelChoice()
    qtbot.addWidget(widget)
    return widget


def choose_import(models, file, monkeypatch):
    monkeypatch.setattr(model_choice.QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    models.show()
    models.showPopup()
    models.view().setCurrentIndex(models.model().index(models.findText(IMPORT), 0))
    QTest.keyClick(models.view(), Qt.Key.Key_Return)


def test_import_a_model_file(models, qtbot, tmp_path, monkeypatch):
    file = write_small_model(tmp_path / "mine.safetensors")
    choose_import(models, file, monkeypatch)
    qtbot.waitUntil(lambda: models.name == "mine", timeout=30_000)
    assert models.currentText() == "mine"
    assert models.path.parent == tmp_path / "models"
    models.path.unlink()
    models.refresh()
    assert models.name == "starter"


def test_a_bad_file_is_refused_in_one_sentence(models, qtbot, tmp_path, monkeypatch, told):
    file = tmp_path / "bad.safetensors"
    file.write_bytes(b"not a model")
    choose_import(models, file, monkeypatch)
    qtbot.waitUntil(lambda: bool(told.texts), timeout=30_000)
    (text,) = told.texts
    assert "bad.safetensors" in text
    assert models.name == "starter"


def test_a_model_kept_elsewhere_appears_when_the_list_opens(models, qtbot, tmp_path):
    (tmp_path / "models").mkdir()
    write_small_model(tmp_path / "models" / "trained.safetensors")
    models.refresh()
    names = [models.itemText(place) for place in range(3)]
    assert names == ["starter", "forearm", "trained"]


def turn_wheel(models):
    middle, none = QPointF(models.rect().center()), Qt.MouseButton.NoButton
    turn = (QPoint(), QPoint(0, -120), none, Qt.KeyboardModifier.NoModifier)
    event = QWheelEvent(middle, middle, *turn, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(models, event)


WAYS = {
    "arrow": lambda models: QTest.keyClick(models, Qt.Key.Key_Down),
    "letter": lambda models: QTest.keyClick(models, "f"),
    "end": lambda models: QTest.keyClick(models, Qt.Key.Key_End),
    "wheel": turn_wheel,
    "program": lambda models: models.setCurrentIndex(1),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_the_box_is_changed_the_model_is_the_one_that_it_says(models, way, monkeypatch):
    asked, changed = [], []
    monkeypatch.setattr(
        model_choice.QFileDialog, "getOpenFileName", lambda *_: (asked.append(1), ("", ""))[1]
    )
    models.model_changed.connect(lambda: changed.append(models.name))
    for _ in range(3):  # also beyond the last model
        WAYS[way](models)
        assert models.currentText() == models.name
    assert asked == [], "only the entry of the open list asks for a file"
    assert changed == ([] if way == "end" else ["forearm"])
