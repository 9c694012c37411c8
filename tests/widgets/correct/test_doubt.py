"""Where to look next: places of an image, and images."""

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.widgets.common import jobs
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.correct import image_order
from napari_veinseg.widgets.masks.layers import add_probability_layer
from napari_veinseg.widgets.masks.records import record_of
from tests.widgets.correct.scene import photograph, truth


@pytest.mark.parametrize("at_once", [jobs.AT_ONCE, 0])
def test_next_moves_the_camera_to_the_doubt(qtbot, viewer, correct_in, monkeypatch, at_once):
    monkeypatch.setattr(jobs, "AT_ONCE", at_once)
    mask = truth()
    probability = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    probability[20:36, 155:175] = np.where(mask[20:36, 155:175] == 1, 0.5, 0.01)
    widget, labels, mouse = correct_in(viewer, mask, scale=(2, 2))
    add_probability_layer(viewer, probability, viewer.layers["finger"])
    viewer.layers.selection.active = labels
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: not widget.doubtful_places.job.running)
    row, column = labels.world_to_data(viewer.scene.camera.center[-2:])
    assert 15 < row < 45
    assert 145 < column < 179
    assert "1 of" in widget.doubtful_places.message.text()


def test_the_places_are_looked_for_again_after_another_run_or_threshold(viewer, correct_in):
    mask = truth()
    certain = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    widget, labels, mouse = correct_in(viewer, mask)
    record = record_of(labels)
    record.probability = certain
    mouse.key(Qt.Key.Key_N)
    assert "certain everywhere" in widget.doubtful_places.message.text()
    record.probability = certain.copy()
    record.probability[20:36, 155:175][mask[20:36, 155:175] == 1] = 0.5
    mouse.key(Qt.Key.Key_N)
    assert "1 of" in widget.doubtful_places.message.text()
    before = widget.doubtful_places.message.text()
    record.threshold = 0.7
    mouse.key(Qt.Key.Key_N)
    assert "1 of" in widget.doubtful_places.message.text()
    assert widget.doubtful_places.message.text() != before


def test_bright_veins_are_bright_in_the_samples_too(
    viewer, correct_in, stub, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    Dataset.create(tmp_path / "set").add("one", photograph(), truth())
    seen = []
    monkeypatch.setattr(
        stub, "probability", lambda image, how: seen.append(how.invert) or image / np.float32(255)
    )
    widget, *_ = correct_in(viewer, truth())
    widget.invert.setChecked(True)
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.image_order.order.click()
    qtbot.waitUntil(lambda: widget.image_order.list.count() == 1, timeout=10_000)
    assert seen == [True]


def test_slices_are_listed_by_doubt_with_the_reviewed_ticked(viewer, correct_in, qtbot, tmp_path):
    mask = np.stack([truth()] * 3)
    probability = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    probability[1][mask[1] == 1] = 0.5
    widget, _, _ = correct_in(viewer, mask, image=np.stack([photograph()] * 3))
    add_probability_layer(viewer, probability, viewer.layers["finger"])
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    viewer.dims.set_point(0, 0)
    widget.reviewing.reviewed.click()
    widget.image_order.order.click()
    qtbot.waitUntil(lambda: widget.image_order.list.count() == 3, timeout=10_000)
    texts = [widget.image_order.list.item(row).text() for row in range(3)]
    assert [text.split(":")[0] for text in texts] == ["Slice 1", "Slice 2", "✓ Slice 0"]
    widget.image_order.list.itemClicked.emit(widget.image_order.list.item(0))
    assert viewer.dims.current_step[0] == 1


def test_a_sample_is_opened_once(viewer, correct_in, qtbot, tmp_path, monkeypatch):
    dataset = Dataset.create(tmp_path / "set")
    dataset.add("one", photograph(), truth())
    dataset.add("two", photograph()[::-1], truth()[::-1])
    monkeypatch.setattr(image_order, "_find_sample_doubts", lambda *_: [0.2, 0.1])
    widget, *_ = correct_in(viewer, truth())
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.image_order.order.click()
    qtbot.waitUntil(lambda: widget.image_order.list.count() == 2, timeout=10_000)
    rows = widget.image_order.list
    for tell in (rows.itemClicked, rows.itemActivated):  # as a double-click does
        tell.emit(rows.item(0))
    assert len(viewer.layers) == 4
    mask = widget.edited_mask.layer
    assert mask.name == "one veins"
    rows.itemClicked.emit(rows.item(1))
    rows.itemClicked.emit(rows.item(0))
    assert widget.edited_mask.layer is mask, "its corrections are not covered by what is stored"
    viewer.layers.remove(mask)
    rows.itemClicked.emit(rows.item(0))
    np.testing.assert_array_equal(widget.edited_mask.layer.data, truth())
    assert widget.edited_mask.layer is not mask
