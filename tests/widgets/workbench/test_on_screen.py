"""Strip, foot, review and the active layer are about the image that is on the screen."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_veinseg.correction.drafts import DraftNotes
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.image_files import write_image
from napari_veinseg.widgets.masks.layer_metadata import image_of, record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.train.both_masks import BothMasks
from tests.widgets.workbench.conftest import (
    open_in_evaluate,
    open_in_train,
    pair,
    press,
    wait_for_mask,
)


def open_file(bench, path, pixels):
    write_image(path, pixels)
    (layer,) = bench.viewer.open(path, plugin="napari")
    return layer


def texts(bench):
    strip = bench.strip
    shown = (strip.number.text(), strip.name.text(), strip.state.text(), strip.reason.text())
    return " | ".join((*shown, bench.status.facts.text()))


@pytest.fixture
def edited(opened):
    """A folder whose image has been drawn on."""
    opened.viewer.window._qt_window.resize(1400, 900)
    opened.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    assert opened.strip.number.text() == "1"
    assert "a.tif" in texts(opened)
    assert "edited" in texts(opened)
    assert "vein width 6.0 px" in texts(opened)
    return opened


@pytest.mark.parametrize(
    ("tab", "open_image"), [("Train", open_in_train), ("Evaluate", open_in_evaluate)]
)
def test_an_image_that_a_tab_has_opened_is_the_one_described(
    edited, vein_image, qtbot, tab, open_image
):
    before = texts(edited)
    edited.tabs.show_tab(tab)
    open_image(edited, qtbot, "far", vein_image, (vein_image > 0).astype(np.uint8))
    now = texts(edited)
    assert now.startswith("- | far | errors | Opened to show errors: < and > lead back to a.tif.")
    assert "vein width 6.0 px" not in now
    assert "Errors: far " in now
    QTest.mouseClick(edited.strip.next, Qt.MouseButton.LeftButton)
    assert texts(edited) == before
    assert edited.viewer.layers.selection.active is edited.session.shown.mask
    qtbot.waitUntil(lambda: [x.name for x in edited.viewer.layers] == ["a.tif", "a.tif veins"])
    assert edited.viewer.layers.selection.active is edited.session.shown.mask


def test_an_opened_file_is_described_with_its_own_mask(edited, vein_image, tmp_path, qtbot):
    before = texts(edited)
    layer = open_file(edited, tmp_path / "far.tif", vein_image)
    now = texts(edited)
    assert now.startswith("- | far | new | Not of this folder: < and > lead back to a.tif.")
    assert "veins" not in edited.status.facts.text()
    edited.segment.segment.click()
    qtbot.waitUntil(lambda: edited.on_screen.mask is not None, timeout=20_000)
    mask = edited.on_screen.mask
    record_of(mask).notes = DraftNotes(vein_width=9.5)
    mask.data_setitem((np.array([2]), np.array([3])), 1)
    assert texts(edited).startswith("- | far | edited | Not of this folder")
    assert "vein width 9.5 px" in texts(edited)
    layer.visible = False
    assert texts(edited) == before, "the eye in the layer list tells, too"
    layer.visible = True
    press(edited, ",")
    assert texts(edited) == before
    assert not layer.visible
    assert not mask.visible
    assert layer in edited.viewer.layers, "what somebody has opened is not taken away"


def test_any_way_to_another_image_shows_that_alone(edited, vein_image, tmp_path, qtbot):
    layer = open_file(edited, tmp_path / "far.tif", vein_image)
    edited.strip.number.setValue(3)
    wait_for_mask(edited, qtbot, 2)
    assert not layer.visible
    assert "c.tif" in texts(edited)
    assert edited.viewer.layers.selection.active is edited.session.shown.mask


def test_no_image_is_reviewed_under_an_opened_file(edited, vein_image, tmp_path, qtbot):
    open_file(edited, tmp_path / "far.tif", vein_image)
    press(edited, "r")
    assert edited.session.index == 0
    assert "look, then review" in edited.session.message.text
    press(edited, "r")
    wait_for_mask(edited, qtbot, 1)
    assert edited.session.folder.state(0) is ImageState.REVIEWED


def test_a_mask_that_is_made_under_another_image_is_not_the_active_layer(
    opened, vein_image, qtbot, model_file
):
    opened.tabs.show_tab("Train")
    open_in_train(opened, qtbot, "far", vein_image, (vein_image > 0).astype(np.uint8))
    mask, before = opened.session.shown.mask, opened.viewer.layers.selection.active
    made = record_of(mask).notes.model
    model_file.touch()  # as after Keep: another model is chosen
    opened.session.follow_model()
    qtbot.waitUntil(lambda: record_of(mask).notes.model != made, timeout=20_000)
    assert opened.viewer.layers.selection.active is before
    assert before.visible
    opened.tabs.show_tab("Correct")
    assert opened.viewer.layers.selection.active is mask


def test_the_status_bar_is_renewed_with_the_image(opened, qtbot):
    """Napari looks what is under the cursor when that has moved."""
    looked = []
    session, moved = opened.session, opened.viewer.cursor.events.position
    moved.connect(lambda _event: looked.append(session.shown.image.name))
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert looked[-1] == "b.tif"


def test_display_controls_act_on_what_is_seen(opened, vein_image, tmp_path):
    layer = open_file(opened, tmp_path / "far.tif", vein_image)
    mask = add_mask_layer(opened.viewer, np.zeros(vein_image.shape, np.uint8), layer)
    before = opened.session.shown.mask.contour
    opened.seeing.outline.click()
    assert mask.contour > 0
    assert opened.session.shown.mask.contour == before
    press(opened, ".")
    assert opened.session.shown.mask.contour > 0


@pytest.mark.parametrize(
    ("learned", "said"),
    [
        ((False, False), "On the screen: far"),
        ((False, True), "The new model has learned from this image"),
        ((True, False), "The old model has learned from this image"),
        ((True, True), "Both models have learned from this image"),
    ],
)
def test_a_model_that_knows_the_image_is_named(opened, vein_image, learned, said):
    mask = (vein_image > 0).astype(np.uint8)
    opened.tabs.show_tab("Train")
    view = opened.train.comparison.masks
    view.show_masks(BothMasks(pair("far", vein_image, mask), mask, mask, learned), "old")
    assert said in view._name.text()
    assert ("learned" in view._name.text()) == any(learned)


def test_what_was_done_is_told_no_longer_than_its_image_is_seen(opened, vein_image, tmp_path):
    opened.session.message.tell_done("3 images were segmented.")
    assert opened.status.facts.text() == "3 images were segmented."
    layer = open_file(opened, tmp_path / "far.tif", vein_image)
    assert "3 images" not in texts(opened)
    opened.session.message.tell_done("4 images were segmented.")
    assert "4 images" in texts(opened), "what ends while it is seen is told"
    layer.visible = False
    assert "4 images" not in texts(opened)


def test_what_was_done_gives_way_to_what_is_true_of_the_image(opened, qtbot):
    message = opened.session.message
    message.show("far.tif cannot be read.")
    message._done.setInterval(20)
    message.tell_done("4 images were segmented.")
    assert opened.status.facts.text() == "4 images were segmented."
    qtbot.waitUntil(lambda: opened.status.facts.text() == "far.tif cannot be read.")
    message.tell_done("5 images were segmented.")
    message.forget()
    message.tell_done("6 images were segmented.")
    qtbot.waitUntil(lambda: "segmented" not in opened.status.facts.text())
    assert "far.tif" not in opened.status.facts.text(), "it was of the image before"


def test_what_is_said_of_an_image_is_not_said_of_one_over_it(opened, vein_image, tmp_path):
    opened.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    opened.session.message.show("All other images are reviewed.")
    layer = open_file(opened, tmp_path / "far.tif", vein_image)
    assert "All other images" not in texts(opened)
    layer.visible = False
    assert "All other images are reviewed" in texts(opened)


def test_a_covered_mask_is_not_corrected(edited, vein_image, tmp_path, told):
    layer = open_file(edited, tmp_path / "far.tif", vein_image)
    edited.tabs.show_tab("Correct")
    trace = next(iter(edited.correct.toolbox.buttons.values()))
    trace.click()
    assert edited.correct.toolbox.active is None
    assert "'far' lies over the mask 'a.tif veins'" in told.texts[0]
    layer.visible = False
    trace.click()
    assert edited.correct.toolbox.active is not None


def test_a_new_mask_is_for_the_image_that_is_seen(edited, vein_image, tmp_path):
    layer = open_file(edited, tmp_path / "far.tif", vein_image)
    before = edited.session.shown.mask.data.copy()
    edited.tabs.show_tab("Correct")
    edited.correct.new_mask.click()
    assert image_of(edited.viewer.layers.selection.active) is layer
    np.testing.assert_array_equal(edited.session.shown.mask.data, before)
    assert edited.correct.edited_mask.layer is edited.on_screen.mask


def test_a_new_mask_of_a_folders_image_takes_no_mask_away(edited):
    mask = edited.session.shown.mask
    before = mask.data.copy()
    edited.tabs.show_tab("Correct")
    edited.correct.new_mask.click()
    assert edited.session.shown.mask is mask
    assert not mask.data.any()
    assert edited.strip.state.text() == "edited"
    assert "undo" in edited.correct.toolbox.message.text()
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)


def test_the_contrast_of_another_image_of_that_size_covers_no_mask(
    opened, vein_image, tmp_path, qtbot
):
    layers = opened.viewer.layers

    def enhanced():
        return next((each for each in layers if each.name == "enhanced" and each.visible), None)

    far = open_file(opened, tmp_path / "far.tif", vein_image)
    press(opened, "h")
    qtbot.waitUntil(lambda: enhanced() is not None, timeout=20_000)
    assert layers.index(enhanced()) == layers.index(far) + 1
    press(opened, ",")
    qtbot.waitUntil(lambda: enhanced() is not None, timeout=20_000)
    assert layers.index(enhanced()) == layers.index(opened.session.shown.image) + 1
