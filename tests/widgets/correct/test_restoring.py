"""Corrections outlive a viewer."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import left_sessions
from napari_veinseg.data.image_files import write_image
from napari_veinseg.widgets.correct.remove_tool import RemoveTool
from napari_veinseg.widgets.correct.restore_offer import restore_session
from napari_veinseg.widgets.masks.layer_metadata import image_of
from napari_veinseg.widgets.masks.layers import add_mask_layer
from tests.widgets.correct.scene import PLACES, SHAPE, photograph, truth


def test_corrections_are_saved_and_offered_again(viewer, correct_in, qtbot, monkeypatch, use):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    widget, labels, mouse = correct_in(viewer, truth())
    use(widget, RemoveTool)
    mouse.click((48, 148))
    corrected = labels.data.copy()
    widget.autosaver.save()
    qtbot.waitUntil(lambda: len(left_sessions()) == 1, timeout=10_000)
    widget.offer.show_newest()
    assert widget.offer.isVisibleTo(widget)
    viewer.layers.remove(labels)
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 15.0)  # what follows is alive
    widget.offer.accept.click()
    restored = viewer.layers["finger veins"]
    np.testing.assert_array_equal(restored.data, corrected)
    assert not widget.offer.isVisibleTo(widget)
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    (again,) = left_sessions()  # as after a second crash, before anything else is changed
    np.testing.assert_array_equal(again.restored(), corrected)


@pytest.mark.parametrize("kind", [OSError, MemoryError])
def test_a_mask_that_cannot_be_saved_holds_up_no_other_and_no_later_save(
    viewer, correct_in, qtbot, told, monkeypatch, kind
):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    widget, labels, _ = correct_in(viewer, truth())
    other = add_mask_layer(viewer, truth(), viewer.layers["finger"], name="other")
    widget.mask_choice.choose(other)
    save = autosave.Autosave.save

    def fail_at_the_first(saver, mask):
        if mask is labels.data:
            raise kind
        return save(saver, mask)

    monkeypatch.setattr(autosave.Autosave, "save", fail_at_the_first)
    for column in (5, 6):
        for layer in (labels, other):
            layer.data_setitem((np.array([5]), np.array([column])), 2)
        widget.autosaver.save()
        qtbot.waitUntil(lambda: widget.autosaver._worker is None, timeout=10_000)
    (session,) = left_sessions()
    np.testing.assert_array_equal(session.restored(), other.data)
    assert len(told.texts) == 1
    assert "cannot be saved" in told.texts[0]


def test_what_is_stored_waits_for_no_autosave_on_a_slow_disk(
    viewer, correct_in, qtbot, monkeypatch
):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    widget, labels, _ = correct_in(viewer, truth())
    labels.data_setitem((np.array([5]), np.array([5])), 2)
    begun, go, write, written = threading.Event(), threading.Event(), autosave.write_image, []

    def stall(path, plane):
        begun.set()
        go.wait(5)
        write(path, plane)
        written.append(path)

    monkeypatch.setattr(autosave, "write_image", stall)
    widget.autosaver.save()
    assert begun.wait(5)
    widget.reviewing.stored.emit(labels, (), labels.data.copy())
    assert written == []
    go.set()
    qtbot.waitUntil(lambda: widget.autosaver._worker is None)
    widget.autosaver.save()
    qtbot.waitUntil(lambda: widget.autosaver._worker is None)
    assert left_sessions() == []


def test_labels_of_other_things_are_restored_over_the_image(viewer, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    labels = truth().astype(np.int32)
    description = {"name": "veins", "image_name": "finger", "image_path": "", "place": {}}
    saver = autosave.Autosave(labels, description)
    labels[5:9, 5:9] = 300
    saver.save(labels)
    viewer.add_image(photograph(), name="finger")
    (session,) = left_sessions()
    np.testing.assert_array_equal(restore_session(viewer, session).data, labels)


def test_a_mask_without_its_image_is_restored_where_it_lay(viewer, correct_in, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    place = PLACES["turned"] | {"affine": [[1, 0.2, 3], [0, 1, -7], [0, 0, 1]]}
    widget, labels, _ = correct_in(viewer, truth(), **place)
    lay = labels._data_to_world.affine_matrix
    labels.data_setitem((np.array([5]), np.array([5])), 2)
    widget.autosaver.stop()
    viewer.layers.clear()
    (session,) = left_sessions()
    restored = restore_session(viewer, session)
    np.testing.assert_allclose(restored._data_to_world.affine_matrix, lay)


def test_corrections_do_not_go_into_the_mask_of_another_file(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "001.tif", photograph())
    description = {"name": "001 veins", "image_name": "001", "place": {}}
    saver = autosave.Autosave(truth(), description | {"image_path": str(tmp_path / "a/001.tif")})
    saver.save(np.zeros(SHAPE, np.uint8))
    (image,) = viewer.open(tmp_path / "b" / "001.tif", plugin="napari")
    mask = add_mask_layer(viewer, truth(), image)
    (session,) = left_sessions()
    restored = restore_session(viewer, session)
    assert restored is not mask
    np.testing.assert_array_equal(mask.data, truth())


def test_corrections_are_not_laid_over_the_image_of_another_file(viewer, tmp_path, monkeypatch):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    description = {"name": "001 veins", "image_name": "001", "place": {}}
    saver = autosave.Autosave(truth(), description | {"image_path": str(tmp_path / "gone/001.tif")})
    saver.save(np.zeros(SHAPE, np.uint8))
    write_image(tmp_path / "001.tif", photograph())
    viewer.open(tmp_path / "001.tif", plugin="napari")
    (session,) = left_sessions()
    assert image_of(restore_session(viewer, session)) is None


def test_a_killed_viewer_loses_seconds_only(tmp_path, monkeypatch):
    child = subprocess.Popen(
        [sys.executable, Path(__file__).parents[1] / "killed_viewer.py"], stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"painted\n"
        painted = time.monotonic()
        while not list((tmp_path / "autosave").glob("*/plane-*.tif")):
            assert time.monotonic() - painted < 10
            time.sleep(0.1)
    finally:
        child.kill()
        child.wait(60)
        child.stdout.close()
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    (session,) = left_sessions()
    assert session.restored()[100, 150] == 1
    size = sum(path.stat().st_size for path in session.folder.iterdir())
    assert size < 50_000
