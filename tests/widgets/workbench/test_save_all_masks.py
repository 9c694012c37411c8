"""All masks of the open folder are saved as files from Segment."""

import csv

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.widgets.common.notify import past_notices
from napari_veinseg.widgets.workbench import folder_segmentation


@pytest.fixture
def output(tmp_path, monkeypatch):
    path = tmp_path / "out"
    path.mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args: str(path))
    return path


def save_all(bench, qtbot):
    bench.folder_run.files.click()
    qtbot.waitUntil(lambda: not bench.folder_run._job.running, timeout=20_000)


def test_a_stroke_that_was_just_drawn_is_in_the_file(opened, qtbot, output):
    mask = opened.session.shown.mask
    mask.data_setitem((np.array([2]), np.array([3])), 1)
    save_all(opened, qtbot)
    assert np.array_equal(read_mask(output / "a.tif"), mask.data)
    with (output / "masks.csv").open(encoding="utf-8", newline="") as file:
        states = [row["state"] for row in csv.DictReader(file)]
    assert states[0] == "edited"
    assert states[2] == "new"
    assert str(output) in past_notices[-1].text
    assert "none" in past_notices[-1].text


def test_older_files_stay_unless_they_may_be_replaced(opened, qtbot, output, monkeypatch):
    (output / "a.tif").write_text("mine")
    asked = []
    monkeypatch.setattr(
        folder_segmentation, "may_replace", lambda _parent, files: asked.extend(files)
    )
    save_all(opened, qtbot)
    assert output / "a.tif" in asked
    assert [path.name for path in output.iterdir()] == ["a.tif"]
    assert (output / "a.tif").read_text() == "mine"


def test_it_is_offered_where_there_is_a_mask(bench, qtbot, folder):
    run, session = bench.folder_run, bench.session
    run.on_arrival.setChecked(False)
    session.open(folder)
    qtbot.waitUntil(lambda: session.shown is not None and not session.ahead.running, timeout=20_000)
    assert not run.files.isEnabled()
    run.rest.click()
    qtbot.waitUntil(lambda: not session.masks.running and run.files.isEnabled(), timeout=20_000)
