"""What a person has drawn waits for room on a full disk, and comes back meanwhile."""

import threading
from functools import partial

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.workbench import saving
from napari_veinseg.widgets.workbench.workbench import Workbench
from tests.widgets.workbench.conftest import press, wait_for_mask, wait_until_saved


class Disk:
    """Refuses all of a folder's writing while it is full, or that of one image."""

    full = True
    refused = None

    def __init__(self, monkeypatch):
        for name in ("store", "review"):
            original = getattr(ImageFolder, name)

            def write(folder, index, *what, original=original, **how):
                if self.full or index == self.refused:
                    raise VeinSegError(f"{folder.path} was not written (No space left).")
                return original(folder, index, *what, **how)

            monkeypatch.setattr(ImageFolder, name, write)


@pytest.fixture
def disk(monkeypatch):
    monkeypatch.setattr(saving, "_AGAIN", 50)
    return Disk(monkeypatch)


def draw(bench):
    bench.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)


def test_a_review_waits_for_room_and_is_told_once(opened, folder, disk, told, qtbot):
    session = opened.session
    draw(opened)
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    qtbot.waitUntil(lambda: bool(told.texts))
    qtbot.wait(300)  # tried again several times
    (text,) = told.texts
    assert "No space left" in text
    assert "kept in memory" in text
    assert session.folder.states.of(0) is ImageState.REVIEWED
    session.ahead.forget()  # not from there
    session.go(0)
    wait_for_mask(opened, qtbot, 0)
    assert session.shown.mask.data[2, 3] == 1
    disk.full = False
    wait_until_saved(opened, qtbot)
    (sample,) = Dataset.open(session.folder.home)
    assert sample.reviewed
    assert sample.mask()[2, 3] == 1
    assert len(told.texts) == 1


def test_what_could_not_be_written_goes_on_waiting_when_the_folder_is_left(
    opened, folder, disk, qtbot
):
    session = opened.session
    draw(opened)
    session.close()
    assert session.queue.busy
    disk.full = False
    wait_until_saved(opened, qtbot)
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1


def test_one_that_cannot_be_written_holds_up_no_other(opened, folder, disk, told, qtbot):
    session = opened.session
    disk.full, disk.refused = False, 0
    draw(opened)
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    draw(opened)
    press(opened, "r")
    wait_for_mask(opened, qtbot, 2)
    qtbot.waitUntil(lambda: session.queue.waiting(session.folder, 1) is None)
    assert [sample.stem for sample in Dataset.open(session.folder.home)] == ["b"]
    assert session.queue.waiting(session.folder, 0).mask[2, 3] == 1
    assert len(told.texts) == 1
    disk.refused = None
    wait_until_saved(opened, qtbot)
    assert [sample.stem for sample in Dataset.open(session.folder.home)] == ["a", "b"]


@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
def test_an_older_mask_never_overtakes_a_newer_one_of_its_image(
    opened, folder, monkeypatch, qtbot, leaves
):
    monkeypatch.setattr(saving, "_AGAIN", 50)
    store, refused = ImageFolder.store, threading.Event()
    room = threading.Event()

    def refuse_the_older(folder, index, draft):
        if draft.mask[2, 3] and not room.is_set():
            refused.set()
            raise VeinSegError("Not now.")
        store(folder, index, draft)

    monkeypatch.setattr(ImageFolder, "store", refuse_the_older)
    draw(opened)
    opened.session.save()
    qtbot.waitUntil(refused.is_set)
    opened.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 0)
    if leaves:
        opened.session.close()
    else:
        opened.session.save()
    room.set()
    wait_until_saved(opened, qtbot)
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 0


def test_what_is_no_reviewed_mask_is_kept_as_a_draft_and_not_tried_again(
    opened, folder, monkeypatch, told, qtbot
):
    def refuse(*_what, **_how):
        raise VeinSegError("This is refused for good.")

    monkeypatch.setattr(ImageFolder, "review", refuse)
    draw(opened)
    press(opened, "r")
    wait_until_saved(opened, qtbot)
    qtbot.waitUntil(lambda: bool(told.texts))
    assert told.texts == ["This is refused for good."]
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1
    assert opened.session.folder.states.of(0) is ImageState.EDITED


@pytest.fixture
def asked():
    """Answer a question with the button of this name; gives what was asked."""
    texts = []

    def answer(name):
        box = QApplication.activeModalWidget()
        texts.append(f"{box.text()} {box.informativeText()}")
        next(each for each in box.buttons() if each.text() == name).click()

    def answer_soon(name):
        QTimer.singleShot(200, partial(answer, name))
        return texts

    return answer_soon


def test_closing_the_viewer_asks_before_a_mask_is_lost(opened, folder, disk, qtbot, asked):
    window = opened.viewer.window._qt_window
    draw(opened)
    texts = asked("Keep it open")
    assert not window.close()
    (text,) = texts
    assert "mask of 'a' could not be written" in text
    assert "No space left" in text
    assert not opened.closed
    assert opened.session.shown.mask.data[2, 3] == 1
    asked("Close and lose")
    assert not opened.session.queue.eventFilter(window, QCloseEvent())
    assert len(texts) == 2
    disk.full = False
    wait_until_saved(opened, qtbot)
    assert not opened.session.queue.eventFilter(window, QCloseEvent())
    assert len(texts) == 2  # nothing is lost any more
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1


def test_closing_the_viewer_from_code_asks_nothing(opened, disk, told):
    draw(opened)
    opened.viewer.close()
    assert opened.closed
    assert "No space left" in told.texts[0]


def test_closing_the_viewer_from_code_writes_what_can_be_written_now(opened, folder, disk):
    draw(opened)
    viewer, queue = opened.viewer, opened.session.queue
    viewer.window.remove_dock_widget(opened)
    assert queue.busy
    disk.full = False
    viewer.close()  # before it is tried again
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1


def test_what_waits_for_room_is_not_prepared_from_its_old_file(opened, folder, disk, qtbot):
    session = opened.session
    session.go(1)
    wait_for_mask(opened, qtbot, 1)
    draw(opened)
    session.go(0)
    wait_for_mask(opened, qtbot, 0)
    session.close()
    session.open(folder)
    wait_for_mask(opened, qtbot, 0)
    qtbot.waitUntil(lambda: not session.ahead.running)
    session.go(1)
    wait_for_mask(opened, qtbot, 1)
    assert session.shown.mask.data[2, 3] == 1


def test_what_could_not_be_written_outlives_the_dock(opened, new_bench, folder, disk, qtbot):
    viewer = opened.viewer
    draw(opened)
    viewer.window.remove_dock_widget(opened)
    assert opened.closed
    again = Workbench(viewer)
    viewer.window.add_dock_widget(again)
    again.session.open(folder)
    wait_for_mask(again, qtbot, 0)
    assert again.session.shown.mask.data[2, 3] == 1
    disk.full = False
    wait_until_saved(again, qtbot)
    again.session.close()
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1
