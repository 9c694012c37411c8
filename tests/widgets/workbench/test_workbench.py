"""The workbench leads through a folder: nothing is lost, and nothing needs the layer list."""

import os
import shutil
from pathlib import Path

import napari
import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDockWidget, QFileDialog, QLabel, QWidget

from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import LeftSession, left_sessions
from napari_veinseg.correction.drafts import model_name
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import MaskHome
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.mask_source import drawing_model
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.widgets.common import engine
from napari_veinseg.widgets.common.notify import past_notices
from napari_veinseg.widgets.correct import restore_offer
from napari_veinseg.widgets.masks.layer_metadata import edited_pixels, record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.workbench import recent_folders
from napari_veinseg.widgets.workbench.open_and_segment import MaskMaker
from tests.widgets.workbench.conftest import (
    NAMES,
    open_in_train,
    press,
    wait_for_mask,
    wait_until_saved,
)


def test_an_image_is_shown_alone_with_the_mask_that_it_got_on_arrival(opened, qtbot, stub):
    viewer = opened.viewer
    assert [type(layer) for layer in viewer.layers] == [Image, Labels]
    assert viewer.layers[0].name == "a.tif"
    assert (viewer.layers[1].data == 1).sum() > 100
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert [layer.name for layer in viewer.layers] == ["b.tif", "b.tif veins"]
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    assert opened.strip.number.value() == 1
    assert opened.strip.name.toolTip() == "a.tif"


def test_the_next_image_is_shown_once(opened, qtbot):
    """Napari renews its whole scene for each layer that is shown, also where it is in sight."""
    shown, told = opened.session.shown, []
    qtbot.waitUntil(lambda: 1 in opened.session.ahead, timeout=20_000)
    for layer in (shown.image, shown.mask):
        layer.events.visible.connect(lambda event: told.append((event.source.name, "visible")))
        layer.events.data.connect(lambda event: told.append((event.source.name, "data")))
    press(opened, ".")
    assert told == [("a.tif", "data"), ("a.tif veins", "data")]
    assert opened.session.shown.index == 1


def test_the_next_image_and_its_mask_are_ready_before_they_are_asked_for(opened, qtbot, stub):
    qtbot.waitUntil(lambda: 1 in opened.session.ahead, timeout=20_000)
    calls = stub.calls
    press(opened, ".")
    assert opened.session.shown.mask is not None  # at once, in this very event
    assert opened.session.index == 1
    assert stub.calls == calls


def test_edits_are_kept_when_one_goes_on_and_come_back(opened, qtbot, folder):
    mask = opened.session.shown.mask
    mask.data_setitem((np.array([2, 2]), np.array([3, 4])), 1)
    before = mask.data.copy()
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    np.testing.assert_array_equal(opened.session.shown.mask.data, before)
    assert edited_pixels(opened.session.shown.mask).sum() == 2
    wait_until_saved(opened, qtbot)
    assert opened.session.folder.state(0) is ImageState.EDITED
    fresh = ImageFolder.open(folder)  # and in another session
    np.testing.assert_array_equal(fresh.read(0).draft.mask, before)
    assert fresh.read(0).draft.edited.sum() == 2


def test_a_decision_that_changes_no_pixel_is_kept_too(opened, qtbot, folder):
    correct, mask = opened.correct, opened.session.shown.mask
    vein = mask.data == 1
    correct.edited_mask.write({}, {(): vein})  # as 'Vein' does where the model has found one
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    np.testing.assert_array_equal(edited_pixels(opened.session.shown.mask), vein)
    wait_until_saved(opened, qtbot)
    np.testing.assert_array_equal(ImageFolder.open(folder).read(0).draft.edited, vein)


def test_reviewed_stores_and_goes_on_to_the_next_unreviewed(opened, qtbot, folder):
    mask = opened.session.shown.mask.data.copy()
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    wait_until_saved(opened, qtbot)
    (sample,) = Dataset.open(folder.with_name("arms_veins"))
    assert sample.reviewed
    assert drawing_model(sample.source) == opened.segment.model.name, "it is known who drew it"
    np.testing.assert_array_equal(sample.mask(), mask)
    np.testing.assert_array_equal(sample.image(), read_image(folder / "a.tif"))
    for index in (2, 2):
        press(opened, "r")
        wait_for_mask(opened, qtbot, index)
    qtbot.waitUntil(lambda: opened.session.folder.count(ImageState.REVIEWED) == 3)
    assert "All images are reviewed" in opened.session.message.text
    assert sorted(path.name for path in folder.iterdir()) == NAMES


def test_segment_leaves_a_mask_as_it_was_reviewed_in_another_session(opened, qtbot, folder):
    mask = opened.session.shown.mask
    mask.data_setitem((np.array([2]), np.array([3])), 1)
    reviewed = mask.data.copy()
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    opened.session.close()
    opened.session.open(folder)
    wait_for_mask(opened, qtbot, 1)
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    opened.segment.segment.click()
    qtbot.waitUntil(lambda: not opened.segment.job.running, timeout=20_000)
    assert [layer.name for layer in opened.viewer.layers] == ["a.tif", "a.tif veins"]
    np.testing.assert_array_equal(opened.session.shown.mask.data, reviewed)


def test_no_image_is_reviewed_under_one_that_a_tab_has_opened(opened, qtbot):
    mask = np.zeros((40, 60), np.uint8)
    opened.tabs.show_tab("Train")
    open_in_train(opened, qtbot, "other", mask, mask)
    opened.status.reviewed.click()
    assert opened.session.index == 0
    assert "look, then review" in opened.session.message.text
    in_sight = [layer.name for layer in opened.viewer.layers if layer.visible]
    assert in_sight == ["a.tif", "a.tif veins"]
    opened.status.reviewed.click()
    wait_for_mask(opened, qtbot, 1)
    assert opened.session.folder.state(0) is ImageState.REVIEWED


def test_no_other_model_draws_over_the_last_image_that_was_reviewed(opened, qtbot, model_file):
    for index in (1, 2, 2):
        press(opened, "r")
        wait_for_mask(opened, qtbot, index)
    wait_until_saved(opened, qtbot)
    os.utime(model_file, (1, 1))  # another version of the model
    opened.session.follow_model()
    assert not opened.session.working
    assert opened.session.shown.draft().edited.all()


def test_a_review_that_cannot_be_stored_is_told_and_its_work_is_kept(
    opened, qtbot, folder, told, monkeypatch
):
    opened.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    monkeypatch.setattr(MaskHome, "dataset", lambda self: Dataset.create(folder))
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    wait_until_saved(opened, qtbot)
    assert "holds something else" in told.texts[-1]
    assert opened.session.folder.state(0) is ImageState.EDITED


def test_a_faulty_file_is_named_and_passed_over(bench, qtbot, folder):
    (folder / "b.tif").write_bytes(b"")
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    bench.session.go(1)
    qtbot.waitUntil(lambda: bench.strip.state.text() == "faulty", timeout=20_000)
    assert "b.tif" in bench.session.message.text
    assert not any(layer.visible for layer in bench.viewer.layers)
    qtbot.waitUntil(lambda: not bench.viewer.layers)
    press(bench, "j")
    wait_for_mask(bench, qtbot, 2)


def test_all_that_was_faulty_is_named_when_all_was_segmented(bench, qtbot, folder):
    (folder / "b.tif").write_bytes(b"")
    (folder / "c.png").write_bytes((folder / "a.tif").read_bytes())
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    bench.folder_run.rest.click()
    qtbot.waitUntil(lambda: "left out" in bench.session.message.text, timeout=20_000)
    assert "2 images were faulty and left out (b.tif, c.tif)" in bench.session.message.text
    notice = past_notices[-1].text
    assert "b.tif is an empty file" in notice
    assert "c.tif shares its name with c.png" in notice


def test_another_model_is_asked_again_but_not_about_edited_images(
    opened, qtbot, stub, model_file, monkeypatch
):
    session = opened.session
    session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    edited = session.shown.mask.data.copy()
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    identity = record_of(session.shown.mask).notes.model
    monkeypatch.setattr(MaskMaker, "identity", property(lambda self: "newer"))
    session.follow_model()
    qtbot.waitUntil(
        lambda: bool(session.shown.mask) and record_of(session.shown.mask).notes.model == "newer"
    )
    assert identity != "newer"
    press(opened, ",")
    wait_for_mask(opened, qtbot, 0)
    qtbot.wait(100)
    np.testing.assert_array_equal(session.shown.mask.data, edited)
    assert record_of(session.shown.mask).notes.model == identity


def test_what_is_drawn_while_a_mask_is_being_made_counts(opened, qtbot, stub, monkeypatch):
    session = opened.session
    stub.gate.clear()
    monkeypatch.setattr(MaskMaker, "identity", property(lambda self: "newer"))
    session.follow_model()
    mask = session.shown.mask
    mask.data_setitem((np.array([2]), np.array([3])), 1)
    stub.gate.set()
    qtbot.waitUntil(lambda: not session.working)
    assert session.shown.mask is mask
    assert mask.data[2, 3] == 1


def test_what_is_drawn_on_an_image_whose_mask_is_being_renewed_comes_back(
    opened, qtbot, stub, monkeypatch
):
    session = opened.session
    qtbot.waitUntil(lambda: not session.ahead.running, timeout=20_000)
    stub.gate.clear()
    monkeypatch.setattr(MaskMaker, "identity", property(lambda self: "newer"))
    session.follow_model(renew_shown=False)
    assert session.ahead.is_preparing(1)
    press(opened, ".")  # it has its older mask, and is shown at once
    session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    press(opened, ",")
    stub.gate.set()
    qtbot.waitUntil(lambda: not session.masks.running and not session.ahead.running)
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert session.shown.mask.data[2, 3] == 1


def test_all_images_are_segmented_beside_the_viewer(opened, qtbot, folder):
    opened.session.masks.on_arrival = False
    opened.folder_run.rest.click()
    qtbot.waitUntil(lambda: not opened.session.masks.rest.running, timeout=20_000)
    assert opened.session.message.text.endswith("segmented.")
    opened.session.message._done.start(0)
    qtbot.waitUntil(lambda: not opened.session.message.text)  # told, and gone
    fresh = ImageFolder.open(folder)
    assert all(fresh.state(index) is ImageState.SEGMENTED for index in range(3))
    canvas = opened.viewer.window._qt_viewer.canvas.native
    QTest.keyClick(canvas, "J", Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: opened.session.shown.index in (1, 2))
    assert "doubtful" in opened.strip.reason.text()
    assert opened.strip.reason.isVisible()
    press(opened, ",")
    assert not opened.strip.reason.isVisible()


def test_an_image_that_is_segmented_by_hand_stays_among_the_doubtful(opened, qtbot):
    before = record_of(opened.session.shown.mask).notes.doubt
    assert before >= 0
    opened.segment.segment.click()
    qtbot.waitUntil(lambda: not opened.segment.job.running, timeout=20_000)
    assert record_of(opened.session.shown.mask).notes.doubt == before


def test_how_far_a_folder_is_segmented_is_told_in_images(opened, qtbot, monkeypatch):
    run, session = opened.folder_run, opened.session
    session.masks.on_arrival, told, hear = False, [], run._hear

    def look(news):
        hear(news)
        told.append(run.status.text())

    monkeypatch.setattr(run, "_hear", look)
    run.rest.click()
    qtbot.waitUntil(lambda: not session.masks.rest.running, timeout=20_000)
    assert told == [f"Segmenting {name} ({n} of 3)" for n, name in enumerate(NAMES, 1)]


def test_the_images_without_a_mask_are_counted_and_then_segmented(bench, qtbot, folder):
    run, session = bench.folder_run, bench.session
    run.on_arrival.setChecked(False)
    session.open(folder)
    qtbot.waitUntil(lambda: session.shown is not None and not session.ahead.running, timeout=20_000)
    assert "(3 without a mask)" in run.rest.text()
    run.rest.click()
    qtbot.waitUntil(
        lambda: not session.masks.running and session.message.text != "", timeout=20_000
    )
    assert session.message.text == "3 images were segmented."
    assert session.shown.mask is not None, "the shown image is one of all"
    assert "without" not in run.rest.text()


def test_an_image_that_is_refused_ends_nothing_for_the_others(bench, qtbot, folder):
    run, session = bench.folder_run, bench.session
    write_image(folder / "b.tif", np.zeros((4, 9), np.uint8))
    run.on_arrival.setChecked(False)
    session.open(folder)
    qtbot.waitUntil(lambda: session.shown is not None and not session.ahead.running, timeout=20_000)
    run.rest.click()
    qtbot.waitUntil(
        lambda: not session.masks.running and session.message.text != "", timeout=20_000
    )
    said = "2 images were segmented; 1 image was refused. b.tif: An image of 4 x 9 px is too small"
    assert session.message.text.startswith(said)


def test_a_mask_that_was_prepared_ahead_is_not_counted_as_missing(opened, qtbot):
    run, session = opened.folder_run, opened.session
    qtbot.waitUntil(lambda: session.folder.state(1) is ImageState.SEGMENTED, timeout=20_000)
    assert "(1 without a mask)" in run.rest.text()
    for said in ("1 image was segmented.", "Every image had its mask already."):
        run.rest.click()
        qtbot.waitUntil(lambda: not session.masks.running, timeout=20_000)
        qtbot.waitUntil(lambda said=said: session.message.text == said, timeout=20_000)
    assert "without" not in run.rest.text()


def test_without_arrival_an_image_stays_new_until_segment_is_pressed(bench, qtbot, folder):
    bench.folder_run.on_arrival.setChecked(False)
    bench.session.open(folder)
    session = bench.session
    qtbot.waitUntil(lambda: session.shown is not None and not session.waiting, timeout=20_000)
    qtbot.wait(100)
    assert session.shown.mask is None
    bench.segment.segment.click()
    wait_for_mask(bench, qtbot, 0)
    assert record_of(session.shown.mask).notes.model


def test_a_model_that_fails_is_asked_no_more_and_the_box_says_so(
    opened, qtbot, stub, told, monkeypatch
):
    session, box = opened.session, opened.folder_run.on_arrival
    qtbot.waitUntil(lambda: not session.ahead.running, timeout=20_000)
    stub.error = RuntimeError("no such layer")
    monkeypatch.setattr(MaskMaker, "identity", property(lambda self: "newer"))
    session.follow_model(renew_shown=False)
    qtbot.waitUntil(lambda: not session.ahead.running)
    assert "no such layer" in told.texts[-1]
    assert not box.isChecked()
    stub.error = None
    box.click()
    qtbot.waitUntil(lambda: record_of(session.shown.mask).notes.model == "newer")


def test_a_mask_is_signed_by_the_model_that_was_asked_for_it(bench, qtbot, stub, vein_image):
    bench.viewer.add_image(vein_image)
    stub.gate.clear()
    bench.segment.segment.click()
    bench.segment.model.choose("forearm")
    stub.gate.set()
    qtbot.waitUntil(lambda: not bench.segment.job.running, timeout=20_000)
    assert model_name(record_of(bench.viewer.layers[-1]).notes.model) == "starter"


def test_an_image_is_shown_without_a_mask_where_the_model_cannot_be_used(
    opened, qtbot, slow_disk, told, monkeypatch
):
    def refuse(path, reporter):
        raise VeinSegError("The model is gone.")

    session = opened.session
    qtbot.waitUntil(lambda: not session.ahead.running, timeout=20_000)
    wait_until_saved(opened, qtbot)
    shutil.rmtree(session.folder.drafts.path)
    session.ahead.forget()
    monkeypatch.setattr(engine, "load_model", refuse)
    slow_disk.clear()
    session.prepare_next()
    press(opened, ".")
    assert session.reading
    slow_disk.set()
    qtbot.waitUntil(lambda: session.shown is not None and session.shown.index == 1)
    assert told.texts == ["The model is gone."]
    assert session.shown.mask is None
    assert not opened.folder_run.on_arrival.isChecked()


def test_a_mask_begun_by_hand_is_kept_by_the_folder_alone(bench, qtbot, folder, monkeypatch):
    """As an autosave it would be offered at the next start, holding the mask of another image."""
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    bench.folder_run.on_arrival.setChecked(False)
    bench.session.open(folder)
    qtbot.waitUntil(lambda: bench.session.shown is not None, timeout=20_000)
    bench.correct.new_mask.click()
    bench.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    bench.session.save()
    wait_until_saved(bench, qtbot)
    bench.correct.autosaver.stop()
    assert left_sessions() == []
    assert bench.session.folder.state(0) is ImageState.EDITED


def test_restored_corrections_are_in_the_folder_before_their_session_goes(
    opened, folder, monkeypatch
):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    corrected = np.zeros_like(opened.session.shown.mask.data)
    saver = autosave.Autosave(
        corrected, {"name": "mine", "image_name": "a.tif", "image_path": "", "place": {}}
    )
    corrected[2, 3] = 1
    saver.save(corrected)
    opened.correct.offer.show_newest()
    kept, discard = [], LeftSession.discard

    def look_and_discard(session):
        kept.append(ImageFolder.open(folder).read(0).draft.mask)
        discard(session)

    monkeypatch.setattr(LeftSession, "discard", look_and_discard)
    opened.correct.offer.accept.click()
    np.testing.assert_array_equal(kept, [corrected])
    assert left_sessions() == []


def test_corrections_of_a_mask_below_the_folders_are_saved_too(opened, monkeypatch):
    """The folder has one mask an image, the topmost."""
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    shown = opened.session.shown
    below = shown.mask
    add_mask_layer(opened.viewer, below.data, shown.image)
    opened.viewer.layers.selection.active = below
    below.data_setitem((np.array([2]), np.array([3])), 1)
    opened.session.save()
    opened.correct.autosaver.stop()
    (left,) = left_sessions()
    np.testing.assert_array_equal(left.restored(), below.data)


def test_a_mask_that_came_up_to_be_the_folders_is_saved_by_the_folder_alone(
    opened, qtbot, monkeypatch
):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    shown = opened.session.shown
    below = shown.mask
    above = add_mask_layer(opened.viewer, below.data, shown.image)
    opened.viewer.layers.selection.active = below
    opened.viewer.layers.remove(above)
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert shown.mask is below
    opened.correct.autosaver.save()
    opened.viewer.close()
    assert left_sessions() == []


def test_closing_the_viewer_saves_and_the_folder_is_remembered(opened, folder):
    opened.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    QApplication.processEvents()
    opened.viewer.close()
    assert ImageFolder.open(folder).state(0) is ImageState.EDITED
    assert recent_folders.recent_folders() == [folder]


def test_closing_the_folder_leaves_other_layers(bench, qtbot, folder, vein_image):
    mine = bench.viewer.add_image(vein_image, name="mine")
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    assert not mine.visible
    bench.session.close()
    assert not any(layer.visible for layer in bench.viewer.layers if layer is not mine)
    qtbot.waitUntil(lambda: list(bench.viewer.layers) == [mine])


def test_enhance_outline_and_blink_change_only_what_is_seen(opened, qtbot):
    shown = opened.session.shown
    pixels, labels = shown.image.data.copy(), shown.mask.data.copy()
    for key in "hok":
        press(opened, key)
    names = [layer.name for layer in opened.viewer.layers]
    qtbot.waitUntil(lambda: len(opened.viewer.layers) == 3)
    assert opened.viewer.layers[1].name not in names
    assert shown.mask.contour > 0
    qtbot.waitUntil(lambda: not shown.mask.visible, timeout=2000)
    press(opened, "k")
    assert shown.mask.visible
    np.testing.assert_array_equal(shown.image.data, pixels)
    np.testing.assert_array_equal(shown.mask.data, labels)
    assert opened.segment.image.layer is shown.image
    assert opened.session.folder.state(0) is ImageState.SEGMENTED
    press(opened, "h")
    assert len(opened.viewer.layers) == 2
    assert shown.mask.opacity == pytest.approx(0.7)
    for keys, opacity in (("99", 0.5), ("0", 0.6), ("0" * 9, 1.0), ("9" * 15, 0.05)):
        press(opened, keys)
        assert shown.mask.opacity == pytest.approx(opacity)


def test_no_mask_stays_hidden_where_blinking_has_left_it(bench, vein_image, qtbot):
    layers = bench.viewer.layers
    images = [bench.viewer.add_image(vein_image, name=str(number)) for number in range(2)]
    one, two = (add_mask_layer(bench.viewer, vein_image < 50, image) for image in images)
    layers.selection.active = one
    bench.seeing.blink.click()
    qtbot.waitUntil(lambda: not one.visible)
    layers.selection.active = two
    qtbot.waitUntil(lambda: not two.visible)
    assert one.visible
    bench.close_down()
    assert two.visible


def test_what_was_just_drawn_is_said_before_it_is_saved(opened):
    mask = opened.session.shown.mask
    assert opened.strip.state.text() == "segmented"
    opened.segment.mask.threshold.setValue(0.9)  # no stroke
    assert opened.strip.state.text() == "segmented"
    mask.data_setitem((np.array([2]), np.array([3])), 1)
    assert opened.strip.state.text() == "edited"
    mask.undo()
    opened.session.save()
    opened.session.changed.emit()
    assert opened.strip.state.text() == "segmented"


def test_what_was_just_drawn_is_said_of_the_next_image_too(opened, qtbot):
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    wait_until_saved(opened, qtbot)
    assert opened.strip.state.text() == "segmented"
    opened.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    assert opened.strip.state.text() == "edited"


def test_the_train_tab_knows_the_dataset(opened, qtbot):
    opened.tabs.show_tab("Train")
    assert "No image of the open folder is reviewed" in opened.train.dataset.summary.text()
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    wait_until_saved(opened, qtbot)
    opened.tabs.show_tab("Segment")
    opened.tabs.show_tab("Train")
    qtbot.waitUntil(lambda: "1 image" in opened.train.dataset.summary.text(), timeout=10_000)
    assert not opened.train.dataset.folder.isVisible()


def test_every_entry_opens_the_one_workbench_at_its_tab(make_napari_viewer, stub, model_file):
    viewer = make_napari_viewer(show=True)
    found = {}
    for name in ("Segment", "Train", "Segment", "Evaluate"):
        _, found[name] = viewer.window.add_plugin_dock_widget("napari-veinseg", name)
    assert len(set(found.values())) == 1
    (bench,) = set(found.values())
    assert not bench.closed
    docks = [dock for dock in viewer.window._qt_window.findChildren(QDockWidget) if dock.widget()]
    assert sum(dock.isAncestorOf(bench) for dock in docks) == 1
    assert bench.tabs.currentWidget() is bench.evaluate
    QApplication.processEvents()
    (dock,) = (dock for dock in docks if dock.isAncestorOf(bench))
    titles = {label.text() for label in dock.titleBarWidget().findChildren(QLabel)}
    assert titles == {dock.windowTitle()} == {"Vein segmentation"}


@pytest.mark.parametrize("control", ["model", "vein_width"])
def test_the_wheel_changes_nothing_that_has_no_focus(bench, control):
    control = getattr(bench.segment, control)
    bench.viewer.window._qt_viewer.canvas.native.setFocus()

    def state():
        return control.currentText() if control is bench.segment.model else control.value()

    before = state()
    centre = QPointF(control.rect().center())
    event = QWheelEvent(
        centre,
        QPointF(control.mapToGlobal(control.rect().center())),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(control, event)
    assert state() == before
    assert not event.isAccepted()


def test_a_mask_lies_above_its_image_and_selecting_it_means_its_image(bench, vein_image):
    viewer: napari.Viewer = bench.viewer
    images = [viewer.add_image(vein_image, name=name) for name in "xy"]
    mask = add_mask_layer(viewer, (vein_image < 50).astype("uint8"), images[0])
    assert list(viewer.layers) == [images[0], mask, images[1]]
    viewer.layers.selection.active = images[1]
    assert bench.segment.image.layer is images[1]
    viewer.layers.selection.active = mask
    assert bench.segment.image.layer is images[0]


@pytest.mark.parametrize("text", ["{", "3"])
def test_a_recent_list_that_is_damaged_is_empty_and_kept(monkeypatch, tmp_path, told, text):
    monkeypatch.setenv(recent_folders.FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "recent.json").write_text(text)
    assert recent_folders.recent_folders() == []
    recent_folders.remember_folder(tmp_path)
    assert recent_folders.recent_folders() == [tmp_path]
    assert [path.read_text() for path in tmp_path.glob("*.damaged")] == [text]
    assert len(told.texts) == 1


def test_a_damaged_file_of_regions_is_told_when_the_folder_opens(bench, folder, qtbot, told):
    drafts = folder.with_name("arms_veins") / "drafts"
    drafts.mkdir(parents=True)
    (drafts / "regions.json").write_text("{")
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    assert [text for text in told.texts if "regions.json" in text]


def test_masks_among_the_images_are_told_when_the_folder_opens(bench, folder, qtbot, told):
    mask = folder / f"{Path(NAMES[0]).stem}_mask.png"
    write_mask(mask, np.eye(64, 80, dtype=np.uint8))
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    assert len(bench.session.folder) == len(NAMES)
    assert [text for text in told.texts if mask.name in text]


def test_the_first_folder_is_asked_for_at_once_and_later_ones_in_a_menu(
    bench, folder, qtbot, monkeypatch
):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_asked: str(folder))
    assert bench.strip.folder.menu() is None
    bench.strip.folder.click()
    wait_for_mask(bench, qtbot, 0)
    assert bench.strip.folder.menu() is bench.strip.menu


def test_the_button_says_which_folder_is_being_opened(bench, folder, tmp_path, qtbot, told):
    bench.session.open(folder)
    assert bench.strip.folder.text() == "Opening arms/…"
    qtbot.waitUntil(lambda: "0 of 3 reviewed" in bench.strip.folder.text())
    (tmp_path / "empty").mkdir()
    bench.session.open(tmp_path / "empty")
    assert bench.strip.folder.text() == "Opening empty/…"
    qtbot.waitUntil(lambda: "0 of 3 reviewed" in bench.strip.folder.text())
    assert "no image" in told.texts[-1]


def test_the_model_in_use_is_among_those_that_are_evaluated(new_bench, tmp_path):
    bench = new_bench()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.safetensors").touch()
    bench.segment.model.choose("mine")
    assert "mine" in [path.stem for path in bench.evaluate.on_dataset.models.models()]


def test_why_a_file_cannot_be_read_is_not_cut(bench, folder, qtbot):
    bench.viewer.window._qt_window.resize(1024, 700)
    (folder / "a.tif").write_bytes(b"no image")
    bench.session.open(folder)
    qtbot.waitUntil(lambda: "cannot be read" in bench.status.facts.text(), timeout=20_000)
    facts = bench.status.facts
    qtbot.waitUntil(lambda: facts.height() >= facts.heightForWidth(facts.width()))


def test_the_next_day_goes_on_with_the_model_of_the_folder(
    new_bench, model_file, folder, tmp_path, qtbot
):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.safetensors").touch()
    bench = new_bench()
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    bench.segment.model.choose("mine")
    bench.close_down()
    other = new_bench()
    assert other.segment.model.name == "starter"
    other.session.open(folder)
    wait_for_mask(other, qtbot, 0)
    assert {choice.name for choice in other.model.choices} == {"mine"}
    (tmp_path / "models" / "mine.safetensors").unlink()
    other.close_down()
    last = new_bench()
    last.session.open(folder)  # a model that is gone is not chosen
    wait_for_mask(last, qtbot, 0)
    assert {choice.name for choice in last.model.choices} == {"starter"}


def test_a_model_file_that_goes_ends_nothing_before_it_is_loaded(tmp_path):
    """The next image is prepared in a timer's slot, where an exception ends the viewer."""
    path = tmp_path / "0004.safetensors"
    path.write_text("stub")
    maker = MaskMaker(path, "Version 4", SegmentationSettings())
    before = maker.identity
    path.unlink()
    assert maker.identity.startswith("Version 4 ")
    assert maker.identity != before  # its masks are another model's, should one come back


def test_a_vein_that_is_being_traced_outlives_enhance(opened, qtbot):
    opened.tabs.show_tab("Correct")
    toolbox, plane = opened.correct.toolbox, opened.correct.edited_mask.displayed_plane()
    press(opened, "t")
    qtbot.waitUntil(lambda: opened.correct.tracing.find(plane) is not None, timeout=30_000)
    tool = toolbox.active
    tool.click((5.0, 5.0), straight=True)
    for count in (3, 2, 3):
        press(opened, "h")
        qtbot.waitUntil(lambda count=count: len(opened.viewer.layers) == count, timeout=20_000)
        assert toolbox.active is tool
        assert tool.busy
    assert opened.viewer.layers.selection.active is opened.session.shown.mask


def test_what_a_tool_said_of_an_image_is_not_said_of_the_next(opened, qtbot):
    opened.tabs.show_tab("Correct")
    toolbox = opened.correct.toolbox
    press(opened, "d")
    toolbox.message.show_text("There is no vein here.")
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert toolbox.active is not None
    assert toolbox.message.text() == toolbox.active.help


@pytest.mark.parametrize(
    "left", [[], [LeftSession(Path("left"), "a veins", "a", "", (9, 9), {}, 0)]]
)
def test_the_workbench_comes_and_moves_without_windows_that_flash(
    make_napari_viewer, stub, monkeypatch, tmp_path, left
):
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
    monkeypatch.setattr(restore_offer, "left_sessions", lambda: left)
    viewer = make_napari_viewer(show=True)
    flashed = []

    class Watch(QObject):
        def eventFilter(self, watched, event):  # noqa: N802
            shown = event.type() == QEvent.Type.Show and isinstance(watched, QWidget)
            if shown and watched.isWindow():
                flashed.append(watched)
            return False

    watch = Watch()
    QApplication.instance().installEventFilter(watch)
    for name in ("Segment", "Correct"):
        _, bench = viewer.window.add_plugin_dock_widget("napari-veinseg", name)
        QTest.qWait(50)
        assert bench.isVisible()
    assert bench.correct.offer.isVisible() == bool(left)
    QApplication.instance().removeEventFilter(watch)
    assert not flashed
