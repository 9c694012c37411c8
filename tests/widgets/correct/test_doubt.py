"""Where to look next: places of an image, and images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import write_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common import jobs
from napari_veinseg.widgets.common.model_choice import ModelChoice
from napari_veinseg.widgets.correct import image_order
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.masks.layers import add_probability_layer
from tests.widgets.correct.scene import SHAPE, photograph, truth


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
    record.notes = DraftNotes(threshold=0.7)
    mouse.key(Qt.Key.Key_N)
    assert "1 of" in widget.doubtful_places.message.text()
    assert widget.doubtful_places.message.text() != before


def test_samples_are_read_and_doubted_as_the_model_would_segment_them(
    viewer, correct_in, stub, qtbot, tmp_path, monkeypatch
):
    """Bright veins are bright, and the threshold is the model's own."""
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    Dataset.create(tmp_path / "set").add("one", photograph(), truth())
    seen, resolve = [], stub.resolve

    def resolved(how, image):
        seen.append(how.invert)
        return replace(resolve(how, image), vein_width=9.0, threshold=0.3)

    monkeypatch.setattr(stub, "resolve", resolved)
    monkeypatch.setattr(image_order, "image_doubt", lambda _, *how: seen.append(how) or 0.5)
    widget, *_ = correct_in(viewer, truth())
    widget.invert.setChecked(True)
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.image_order.order.click()
    qtbot.waitUntil(lambda: widget.image_order.list.count() == 1, timeout=10_000)
    assert seen == [True, (9.0, 0.3)]


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


@pytest.fixture
def doubtful(viewer, correct_in):
    """A mask with two doubtful stretches."""
    mask = truth()
    probability = np.where(mask == 1, 0.98, 0.01).astype(np.float32)
    for stretch in (np.s_[20:36, 155:175], np.s_[40:70, 20:40]):
        probability[stretch] = np.where(mask[stretch] == 1, 0.5, 0.01)
    widget, labels, mouse = correct_in(viewer, mask)
    record_of(labels).probability = probability
    return widget, labels, mouse


@pytest.fixture
def doubting(doubtful, qtbot):
    """The same, at the first of them."""
    widget, labels, mouse = doubtful
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: not widget.doubtful_places.job.running)
    return widget, labels, mouse


DECISIONS = [(Qt.Key.Key_Y, 1), (Qt.Key.Key_W, 0), (Qt.Key.Key_Q, 2)]


@pytest.mark.parametrize(("key", "label"), DECISIONS)
def test_a_key_decides_what_is_marked_and_goes_on(doubting, key, label):
    widget, labels, mouse = doubting
    before = labels.data.copy()
    places = widget.doubtful_places
    marked, count = places._candidate(), len(places._places)
    mouse.key(key)
    assert (labels.data[marked] == label).all()
    np.testing.assert_array_equal(labels.data[~marked], before[~marked])
    assert edited_pixels(labels)[marked].all()  # also where it was vein already
    assert len(places._places) == count - 1
    if label != 1:
        assert len(labels._undo_history) == 1
        labels.undo()
        np.testing.assert_array_equal(labels.data, before)
        assert not edited_pixels(labels).any()


def test_what_is_asked_is_in_sight_in_a_low_window(viewer, doubting, qtbot):
    widget, _, mouse = doubting
    places = widget.doubtful_places
    viewer.window._qt_window.resize(1000, 500)
    viewer.show()
    mouse.key(Qt.Key.Key_N)
    seen = lambda part: not part.visibleRegion().isEmpty()  # noqa: E731
    qtbot.waitUntil(lambda: seen(places.message) and seen(places.is_vein), timeout=5000)
    mouse.key(Qt.Key.Key_T)
    qtbot.waitUntil(lambda: seen(widget.toolbox.message), timeout=5000)


def test_texts_of_a_mask_that_was_left_are_gone(viewer, doubting):
    widget, *_ = doubting
    places = widget.doubtful_places
    assert places.message.text().startswith("Place 1 of")
    widget.new_mask.click()
    assert "Place" not in places.message.text()
    assert not any(made.isEnabled() for made in places.decisions)
    assert widget.edited_mask.layer.data.shape == SHAPE
    assert not widget.edited_mask.layer.data.any()


def test_a_mask_without_an_answer_asks_the_model_and_stays_as_it_is(
    viewer, correct_in, stub, qtbot, monkeypatch
):
    """As one that was restored, drawn or opened: its sliders must stay dead."""
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    widget, labels, mouse = correct_in(viewer, truth())
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: widget.doubtful_places._found_in is not None, timeout=20_000)
    mouse.key(Qt.Key.Key_N)
    assert stub.calls == 1
    assert record_of(labels).probability is None


def test_the_probability_of_another_image_is_not_taken_for_its_own(
    viewer, correct_in, stub, qtbot, monkeypatch
):
    """Images of one sensor have one size."""
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    other = viewer.add_image(photograph(), name="other")
    add_probability_layer(viewer, np.full(SHAPE, 0.5, np.float32), other)
    widget, _, mouse = correct_in(viewer, truth())
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: widget.doubtful_places._found_in is not None, timeout=20_000)
    assert stub.calls == 1


def test_another_model_is_asked_anew_and_by_its_own_threshold(
    viewer, correct_in, stub, qtbot, monkeypatch
):
    chosen = ["first"]
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path(chosen[-1])))
    widget, _, mouse = correct_in(viewer, truth())
    places = widget.doubtful_places
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: places._found_in is not None, timeout=20_000)
    assert places._found_in.threshold == 0.5
    chosen.append("second")
    resolve = stub.resolve
    monkeypatch.setattr(
        stub, "resolve", lambda how, image: replace(resolve(how, image), threshold=0.3)
    )
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: places._found_in.threshold == 0.3, timeout=20_000)
    assert stub.calls == 2


def test_a_model_that_fails_is_not_said_to_be_asked_still(
    viewer, correct_in, stub, qtbot, monkeypatch, told
):
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    stub.error = VeinSegError("The model is damaged.")
    widget, _, mouse = correct_in(viewer, truth())
    places = widget.doubtful_places
    rest = places.message.text()
    mouse.key(Qt.Key.Key_N)
    qtbot.waitUntil(lambda: not places.job.running, timeout=20_000)
    assert told.texts == ["The model is damaged."]
    assert places.message.text() == rest


def test_a_model_is_asked_no_more_about_a_mask_that_was_left(
    viewer, correct_in, stub, monkeypatch, told
):
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    stub.gate.clear()
    widget, _, mouse = correct_in(viewer, truth())
    mouse.key(Qt.Key.Key_N)
    assert widget.doubtful_places.job.running
    widget.new_mask.click()
    assert not widget.doubtful_places.job.running, "Next is free for the mask that is shown"
    assert told.texts == []


def test_a_place_stays_marked_when_an_answer_about_another_slice_comes(
    viewer, correct_in, stub, qtbot, monkeypatch
):
    monkeypatch.setattr(ModelChoice, "path", property(lambda self: Path("stub")))
    widget, *_ = correct_in(viewer, np.stack([truth()] * 2), image=np.stack([photograph()] * 2))
    places = widget.doubtful_places
    viewer.dims.set_point(0, 0)
    places.next.click()
    qtbot.waitUntil(lambda: places._mark is not None, timeout=20_000)
    stub.gate.clear()
    viewer.dims.set_point(0, 1)
    places.next.click()
    assert "Asking" in places.message.text()
    assert places._mark is None, "it was on the slice before"
    viewer.dims.set_point(0, 0)
    places.next.click()
    said = places.message.text()
    stub.gate.set()
    qtbot.waitUntil(lambda: not places.job.running, timeout=20_000)
    assert places.message.text() == said
    assert places.decisions[0].isEnabled()


def test_previous_begins_with_the_last_place(doubtful):
    widget, *_ = doubtful
    places = widget.doubtful_places
    places.previous.click()
    count = len(places._places)
    assert count > 1
    assert places.message.text().startswith(f"Place {count} of {count}")


def test_a_dataset_without_masks_has_no_order(viewer, correct_in, tmp_path, told):
    Dataset.create(tmp_path / "set")
    write_image(tmp_path / "set" / "images" / "a.tif", photograph())
    widget, *_ = correct_in(viewer, truth())
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.image_order.order.click()
    assert not widget.image_order.job.running
    assert "no image with a mask" in told.texts[-1]
