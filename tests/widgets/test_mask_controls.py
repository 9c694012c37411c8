"""Sliders: they change only what is not the user's, and a drag is one undo step."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from napari.layers import Labels
from qtpy.QtWidgets import QLineEdit

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.segmentation.masks import mask_from_probability
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.masks.undo import replace_mask
from napari_veinseg.widgets.segment import mask_controls
from napari_veinseg.widgets.segment.mask_controls import MaskControls
from napari_veinseg.widgets.segment.refine import changes_to


@pytest.fixture
def probability():
    """Four veins of falling probability: rows 8, 24, 40 and 56."""
    values = np.zeros((64, 80), np.float32)
    for row, value in ((8, 0.9), (24, 0.7), (40, 0.5), (56, 0.3)):
        values[row : row + 4] = value
    values[60:62, 70:72] = 0.95
    return values


@pytest.fixture
def mask(viewer, probability):
    image = viewer.add_image(np.zeros(probability.shape))
    layer = add_mask_layer(
        viewer, mask_from_probability(probability, 0.6), image, probability=probability
    )
    record_of(layer).notes = DraftNotes(threshold=0.6)
    return layer


@pytest.fixture
def controls(viewer, mask):
    controls = MaskControls(viewer)
    viewer.window.add_dock_widget(controls)
    return controls


def drag(slider, *values):
    slider.sliderPressed.emit()
    slider.setSliderDown(True)
    for value in values:
        slider.setValue(value)
    slider.setSliderDown(False)


def test_a_drag_is_one_undo_step(controls, mask, probability):
    before = mask.data.copy()
    drag(controls.threshold, 0.55, 0.4, 0.2, 0.45)
    np.testing.assert_array_equal(mask.data, probability >= 0.45)
    assert len(mask._undo_history) == 1
    drag(controls.threshold, 0.8)
    assert len(mask._undo_history) == 2
    mask.undo()
    np.testing.assert_array_equal(mask.data, probability >= 0.45)
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    mask.redo()
    mask.redo()
    np.testing.assert_array_equal(mask.data, probability >= 0.8)


def test_edited_pixels_never_change(controls, mask):
    mask.brush_size = 5
    mask.paint((24, 10), 0)  # erased from a vein
    mask.paint((16, 40), 1)  # added
    mask.paint((40, 60), 2)  # unsure where the model will find a vein
    mine = edited_pixels(mask).copy()
    painted = mask.data[mine].copy()
    for threshold in (0.2, 0.95, 0.45, 0.6):
        drag(controls.threshold, threshold)
        np.testing.assert_array_equal(mask.data[mine], painted)
        np.testing.assert_array_equal(edited_pixels(mask), mine)
    controls.min_size.setValue(1000)
    np.testing.assert_array_equal(mask.data[mine], painted)


def test_an_undone_stroke_is_the_models_again(controls, mask, probability):
    mask.paint((24, 10), 0)
    mask.undo()
    assert not edited_pixels(mask).any()
    drag(controls.threshold, 0.4)
    np.testing.assert_array_equal(mask.data, probability >= 0.4)


def test_a_stroke_undone_and_painted_over_elsewhere_is_the_models_again(controls, mask):
    mask.paint((24, 10), 0)
    mask.undo()  # nobody looks now, and the next stroke clears what could be redone
    mask.paint((24, 60), 0)
    assert not edited_pixels(mask)[24, 10]
    assert edited_pixels(mask)[24, 60]


def test_strokes_older_than_the_undo_history_stay_the_users(controls, mask):
    mask.brush_size = 1
    for column in range(70):
        for row in (10, 50):
            mask.paint((row, column), 2)
    mine = edited_pixels(mask)
    assert mine.sum() == 140
    assert len(mask._undo_history) == 100
    mask.editable = False  # napari forgets the history of a locked layer
    mask.editable = True
    np.testing.assert_array_equal(edited_pixels(mask), mine)


def test_undoing_a_slider_does_not_look_like_an_edit(controls, mask, probability):
    drag(controls.threshold, 0.4)
    mask.undo()
    assert not edited_pixels(mask).any()
    drag(controls.threshold, 0.2)
    np.testing.assert_array_equal(mask.data, probability >= 0.2)


def test_painting_between_two_moves_starts_a_new_step(controls, mask):
    drag(controls.threshold, 0.4)
    mask.paint((16, 40), 1)
    controls.threshold.setValue(0.3)
    assert len(mask._undo_history) == 3


def test_another_array_in_the_layer_is_the_users(controls, mask):
    mine = np.full(mask.data.shape, 2, np.uint8)
    mask.data = mine
    drag(controls.threshold, 0.2)
    np.testing.assert_array_equal(mask.data, mine)


def test_another_shape_is_said(controls, mask, told):
    mask.data = np.zeros((10, 10), np.uint8)
    drag(controls.threshold, 0.2)
    assert "press Segment to make a new mask" in told.texts[-1]


def test_sliders_follow_the_mask(viewer, controls, mask, probability):
    second = add_mask_layer(viewer, mask.data, viewer.layers[0], probability=probability)
    record_of(second).notes = DraftNotes(threshold=0.25)
    viewer.layers.selection.active = mask
    assert controls.masks.layer is mask
    assert controls.threshold.value() == pytest.approx(0.6)
    viewer.layers.selection.active = second
    assert controls.masks.layer is second
    assert controls.threshold.value() == pytest.approx(0.25)
    viewer.layers.remove(second)
    assert controls.masks.layer is mask
    sliders = (controls.threshold, controls.min_size)
    said = lambda: [each.findChild(QLineEdit).isHidden() for each in sliders]  # noqa: E731
    assert said() == [False, False]
    viewer.layers.remove(mask)
    assert not controls.threshold.isEnabled()
    assert said() == [True, True], "a value that no mask has"
    viewer.add_labels(np.zeros((5, 5), int))  # not a mask of ours
    assert controls.masks.layer is None


def test_large_masks_are_worked_on_beside_the_viewer(
    controls, mask, probability, qtbot, monkeypatch
):
    monkeypatch.setattr(mask_controls, "_AT_ONCE", 10)
    drag(controls.threshold, 0.55, 0.4, 0.2, 0.45)
    qtbot.waitUntil(lambda: not controls._job.running and not controls._pending)
    qtbot.waitUntil(lambda: np.array_equal(mask.data, probability >= 0.45))
    assert len(mask._undo_history) == 1


def test_a_mask_is_signed_by_the_threshold_that_it_has(
    controls, mask, probability, qtbot, monkeypatch
):
    monkeypatch.setattr(mask_controls, "_AT_ONCE", 10)
    drag(controls.threshold, 0.4)  # and one may leave before the pixels follow
    assert controls._job.running
    assert record_of(mask).notes.threshold == 0.6
    qtbot.waitUntil(lambda: not controls._job.running)
    np.testing.assert_array_equal(mask.data, probability >= 0.4)
    assert record_of(mask).notes.threshold == pytest.approx(0.4)


def test_a_slider_changes_no_mask_that_its_layer_shows_afterwards(
    controls, mask, viewer, qtbot, monkeypatch, told
):
    monkeypatch.setattr(mask_controls, "_AT_ONCE", 10)
    drag(controls.threshold, 0.3, 0.2)
    replace_mask(mask, np.zeros(mask.data.shape, np.uint8), viewer.layers[0])  # the next image's
    controls.show_mask()
    qtbot.waitUntil(lambda: not controls._job.running)
    assert not mask.data.any()
    assert told.texts == []


def test_a_move_takes_less_than_50_ms_at_512(viewer, qtbot):
    rng = np.random.default_rng(0)
    probability = rng.random((512, 512), dtype=np.float32)  # far more components than any image
    image = viewer.add_image(probability)
    layer = add_mask_layer(viewer, probability > 0.5, image, probability=probability)
    controls = MaskControls(viewer)
    qtbot.addWidget(controls)
    controls.min_size.setValue(20)
    times = []
    for threshold in np.linspace(0.3, 0.7, 9):
        begin = time.thread_time()
        controls.threshold.setValue(threshold)
        times.append(time.thread_time() - begin)
    assert layer.data.any()
    assert np.median(times) < 0.05  # of this thread: the machine may be busy with others


def test_save(controls, mask, qtbot, tmp_path, monkeypatch, told):
    for name, stored in (("größe.tif", "größe.tif"), ("m.png", "m.png"), ("m", "m.tif")):
        monkeypatch.setattr(
            mask_controls.QFileDialog,
            "getSaveFileName",
            lambda *_, chosen=name: (str(tmp_path / chosen), ""),
        )
        controls.save.click()
        qtbot.waitUntil(lambda: not controls._saving.running)
        np.testing.assert_array_equal(read_mask(tmp_path / stored), mask.data)
    monkeypatch.setattr(
        mask_controls.QFileDialog,
        "getSaveFileName",
        lambda *_: (str(tmp_path / "nowhere" / "m.tif"), ""),
    )
    controls.save.click()
    qtbot.waitUntil(lambda: not controls._saving.running)
    assert "was not written" in told.texts[-1]


@pytest.mark.parametrize("pressed", ["Cancel", "Replace"])
def test_a_file_whose_name_is_completed_is_replaced_only_when_that_is_confirmed(
    controls, mask, qtbot, answer, tmp_path, monkeypatch, pressed
):
    older = np.zeros((5, 5), np.uint8)
    write_mask(tmp_path / "m.tif", older)
    monkeypatch.setattr(
        mask_controls.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "m"), "")
    )
    asked = answer(pressed)
    controls.save.click()
    qtbot.waitUntil(lambda: not controls._saving.running)
    assert "m.tif" in asked[0]
    expected = older if pressed == "Cancel" else mask.data
    np.testing.assert_array_equal(read_mask(tmp_path / "m.tif"), expected)


def test_one_mask_is_saved_at_a_time(controls, qtbot, tmp_path, monkeypatch):
    written = threading.Event()
    monkeypatch.setattr(mask_controls, "write_mask", lambda *_: written.wait(10))
    monkeypatch.setattr(
        mask_controls.QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "m.tif"), "")
    )
    controls.save.click()
    assert not controls.save.isEnabled()
    written.set()
    qtbot.waitUntil(controls.save.isEnabled)


@settings(max_examples=50)
@given(
    arrays(np.float32, (9, 11), elements=st.floats(0, 1, width=32)),
    arrays(np.uint8, (9, 11), elements=st.integers(0, 2)),
    st.floats(0.01, 0.99),
    st.integers(0, 30),
)
def test_changes_lead_from_any_mask_to_the_wanted_one(probability, mask, threshold, min_size):
    changes = changes_to(mask, probability, threshold, min_size, np.zeros(mask.shape, bool))
    after = mask.copy()
    after.ravel()[changes.positions] = changes.values
    np.testing.assert_array_equal(after, mask_from_probability(probability, threshold, min_size))


def test_labels_that_are_not_ours_get_a_record_with_their_past():
    layer = Labels(np.zeros((20, 20), np.uint8))
    layer.paint((10, 10), 1)
    assert edited_pixels(layer)[10, 10]
