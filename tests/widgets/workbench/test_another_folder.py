"""One folder is opened after another: nothing of the first is seen, drawn or kept in the second."""

import threading

import numpy as np
import pytest
from qtpy.QtCore import QTimer

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.data.image_files import read_image, write_image
from tests.widgets.workbench.conftest import NAMES, press, wait_for_mask, wait_until_saved


@pytest.fixture
def other(tmp_path, vein_image):
    """A folder of images of the same names and size, whose veins lie elsewhere."""
    path = tmp_path / "hands"
    path.mkdir()
    for number, name in enumerate(NAMES):
        write_image(path / name, np.roll(vein_image, 4 + 8 * number, axis=0))
    return path


def test_what_was_being_read_of_one_folder_is_not_shown_in_another(opened, other, qtbot, slow_disk):
    session = opened.session
    qtbot.waitUntil(lambda: not session.ahead.running, timeout=20_000)
    slow_disk.clear()
    session.ahead.forget()
    session.prepare_next()
    assert session.ahead.is_preparing(1)
    session.open(other)
    qtbot.waitUntil(lambda: session.folder is not None and session.folder.path == other)
    slow_disk.set()
    wait_for_mask(opened, qtbot, 0)
    qtbot.waitUntil(lambda: session.ahead.get(1) is not None, timeout=20_000)
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    wait_until_saved(opened, qtbot)
    expected = read_image(other / "b.tif")
    np.testing.assert_array_equal(session.shown.image.data, expected)
    stored = ImageFolder.open(other).read(1).draft.mask
    np.testing.assert_array_equal(stored, expected < 100)


def test_a_smaller_folder_with_a_model_of_its_own_opens_at_its_first_image(
    opened, tmp_path, vein_image, qtbot, told
):
    (tmp_path / "one").mkdir()
    write_image(tmp_path / "one" / "only.tif", vein_image)
    ImageFolder.open(tmp_path / "one").drafts.remember_model("forearm")
    press(opened, ",")
    wait_for_mask(opened, qtbot, 2)
    opened.session.open(tmp_path / "one")
    wait_for_mask(opened, qtbot, 0)
    assert opened.strip.name.toolTip() == "only.tif"
    assert opened.segment.model.name == "forearm"
    assert told.texts == []


def test_of_two_folders_that_are_asked_for_the_last_opens(bench, folder, other, qtbot, monkeypatch):
    gate, look = threading.Event(), ImageFolder.open

    def open_slowly(path):
        assert path == other or gate.wait(20)
        return look(path)

    monkeypatch.setattr(ImageFolder, "open", open_slowly)
    bench.session.open(folder)
    bench.session.open(other)
    assert bench.strip.folder.text() == "Opening hands/…"
    wait_for_mask(bench, qtbot, 0)
    gate.set()
    qtbot.wait(100)
    assert bench.session.folder.path == other


@pytest.mark.parametrize("turn", [1, 2])  # the folder before is left, this one is known
def test_a_folder_is_shown_where_the_next_one_asked_for_cannot_be_opened(
    opened, other, tmp_path, qtbot, told, turn
):
    session, turns = opened.session, []

    def ask_for_an_empty_folder():
        turns.append(session.folder)
        if len(turns) == turn:
            QTimer.singleShot(0, lambda: session.open(tmp_path / "empty"))

    (tmp_path / "empty").mkdir()
    session.opened.connect(ask_for_an_empty_folder)
    session.open(other)
    qtbot.waitUntil(lambda: bool(told.texts), timeout=20_000)
    assert "There is no image" in told.texts[0]
    wait_for_mask(opened, qtbot, 0)
    assert session.folder.path == other
    assert opened.strip.folder.text().startswith("hands")


def test_what_was_said_of_an_image_is_not_said_of_its_namesake(opened, other, qtbot):
    session = opened.session
    opened.segment.trouble.tell("Segmenting", "No vein was found.")
    session.open(other)
    qtbot.waitUntil(lambda: session.folder is not None and session.folder.path == other)
    wait_for_mask(opened, qtbot, 0)
    assert opened.segment.trouble.text == ""
