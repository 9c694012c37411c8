"""Reviewed masks go into a dataset."""

import threading

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_veinseg.correction import autosave
from napari_veinseg.correction.autosave import left_sessions
from napari_veinseg.data import dataset, sample, sample_files
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import read_image
from napari_veinseg.widgets.common import jobs
from napari_veinseg.widgets.train.open_layers import add_planes, open_planes
from tests.widgets.correct.scene import photograph, truth


def test_reviewed_stores_image_and_mask(viewer, correct_in, tmp_path, told):
    widget, labels, mouse = correct_in(viewer, truth())
    mouse.key(Qt.Key.Key_R)
    assert any("Choose a dataset" in text for text in told.texts)
    widget.reviewing.folder.setText(str(tmp_path / "Fingervenen ü"))
    labels.data_setitem((np.array([5]), np.array([5])), 2)
    mouse.key(Qt.Key.Key_R)
    (sample,) = Dataset.open(tmp_path / "Fingervenen ü")
    assert sample.reviewed
    np.testing.assert_array_equal(sample.mask(), labels.data)
    np.testing.assert_array_equal(sample.image(), photograph())
    assert widget.reviewing.message.text() == "finger is stored. Reviewed: 1 of 1 image."


@pytest.mark.parametrize("files", [[], ["in/f1_1.png", "in/f1_2.png"], ["in/two.tif"]])
def test_reviewing_and_adding_open_layers_store_an_image_under_one_name(
    viewer, correct_in, tmp_path, files
):
    """Under two names it could be learned from and judged on in one run."""
    images = np.stack([photograph(), photograph()[::-1]])
    widget, *_ = correct_in(viewer, np.stack([truth()] * 2), image=images)
    viewer.layers["finger"].metadata["files"] = files
    viewer.dims.set_point(0, 1)
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.reviewing.reviewed.click()
    dataset = Dataset.open(tmp_path / "set")
    (stem,) = (sample.stem for sample in dataset)
    assert add_planes(dataset, open_planes(viewer)) == 2
    assert len(list(dataset)) == 2
    assert stem in dataset


def test_a_mask_is_stored_with_its_own_image_whichever_layer_is_looked_at(
    viewer, correct_in, tmp_path, told
):
    other = photograph()[::-1].copy()
    widget, *_ = correct_in(viewer, truth())
    second = viewer.add_image(other, name="second")
    viewer.layers.selection.active = second
    assert widget.image_choice.layer is viewer.layers["finger"]
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    viewer.layers.remove("finger")  # the choice falls to the other image
    widget.reviewing.reviewed.click()
    assert "was not made on the image 'second'" in told.texts[-1]
    assert not (tmp_path / "set").exists()
    widget.image_choice.activated.emit(0)  # the user picks it
    widget.reviewing.reviewed.click()
    (sample,) = Dataset.open(tmp_path / "set")
    np.testing.assert_array_equal(sample.image(), other)


def test_looking_at_a_dataset_makes_no_folder(viewer, correct_in, tmp_path, told):
    widget, *_ = correct_in(viewer, truth())
    widget.reviewing.folder.setText(str(tmp_path / "not yet"))
    widget.reviewing.show_state()
    widget.image_order.order.click()
    assert not (tmp_path / "not yet").exists()


@pytest.mark.parametrize("at_once", [jobs.AT_ONCE, 0])
def test_an_image_that_is_reviewed_again_is_decoded_once(
    viewer, correct_in, tmp_path, monkeypatch, qtbot, at_once
):
    monkeypatch.setattr(jobs, "AT_ONCE", at_once)
    widget, labels, _ = correct_in(viewer, truth())
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.reviewing.reviewed.click()
    qtbot.waitUntil(lambda: not widget.reviewing.job.running)
    labels.data_setitem((np.array([5]), np.array([5])), 2)
    read, threads = [], []
    decode = read_image

    def spy(path, *args, **kwargs):
        read.append(path.name)
        threads.append(threading.current_thread() is threading.main_thread())
        return decode(path, *args, **kwargs)

    for module in (dataset, sample, sample_files):
        monkeypatch.setattr(module, "read_image", spy)
    widget.reviewing.reviewed.click()
    qtbot.waitUntil(lambda: not widget.reviewing.job.running)
    assert read == ["finger.tif"]
    assert threads == [at_once > 0]
    (stored,) = Dataset.open(tmp_path / "set")
    assert stored.mask()[5, 5] == 2


def test_what_is_painted_while_a_mask_is_stored_is_still_autosaved(
    viewer, correct_in, tmp_path, monkeypatch, qtbot
):
    monkeypatch.setattr(jobs, "AT_ONCE", 0)
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    widget, labels, _ = correct_in(viewer, truth())
    widget.reviewing.folder.setText(str(tmp_path / "set"))
    widget.reviewing.reviewed.click()
    labels.data_setitem((np.array([5]), np.array([5])), 2)  # before the worker is done
    qtbot.waitUntil(lambda: not widget.reviewing.job.running)
    widget.autosaver.stop()
    (session,) = left_sessions()
    assert session.restored()[5, 5] == 2
