"""What a person has drawn waits for room on a full disk, and comes back meanwhile."""

import errno
import gc
import threading
import weakref
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_veinseg.correction.drafts import Draft, DraftFolder
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.correction.mask_store import MaskHome, Unsaved
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import writing
from napari_veinseg.widgets.workbench import save_queue
from napari_veinseg.widgets.workbench.workbench import Workbench
from tests.widgets.workbench.conftest import press, wait_for_mask, wait_until_saved


class Disk:
    """Refuses all writing of masks while it is full, or that of one image; counts what it took."""

    full = True
    refused = None

    def __init__(self, monkeypatch):
        self.written = []
        for owner, name in ((DraftFolder, "write"), (Dataset, "add")):
            original = getattr(owner, name)

            def write(folder, stem, *what, original=original, **how):
                with writing(folder.path / stem):
                    if self.full or stem == self.refused:
                        raise OSError(errno.ENOSPC, "No space left")
                self.written.append(stem)
                return original(folder, stem, *what, **how)

            monkeypatch.setattr(owner, name, write)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Try again soon; before there is a queue, whose timer is made with it."""
    monkeypatch.setattr(save_queue, "_AGAIN", 50)


@pytest.fixture
def disk(monkeypatch):
    return Disk(monkeypatch)


def draw(bench, column=3):
    bench.session.shown.mask.data_setitem((np.array([2]), np.array([column])), 1)


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
    assert session.folder.state(0) is ImageState.REVIEWED
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


@pytest.mark.parametrize("spelling", ["the same", "a linked parent", "relative"])
def test_a_folder_that_is_opened_again_knows_what_waits(
    opened, folder, disk, qtbot, monkeypatch, tmp_path, spelling
):
    session = opened.session
    draw(opened)
    session.go(1)
    wait_for_mask(opened, qtbot, 1)
    session.close()
    if spelling == "a linked parent":
        (tmp_path / "link").symlink_to(folder.parent, target_is_directory=True)
    monkeypatch.chdir(folder)
    linked = tmp_path / "link" / folder.name
    session.open({"the same": folder, "a linked parent": linked, "relative": Path()}[spelling])
    wait_for_mask(opened, qtbot, 0)
    assert session.folder.state(0) is ImageState.EDITED
    assert session.shown.mask.data[2, 3] == 1
    session.go(1)
    wait_for_mask(opened, qtbot, 1)
    disk.full = False
    wait_until_saved(opened, qtbot)
    assert session.folder.state(0) is ImageState.EDITED
    qtbot.waitUntil(lambda: not session.masks.running and not session.ahead.running)
    session.ahead.forget()
    opened.folder_run.rest.click()  # no prediction goes over it
    qtbot.waitUntil(lambda: not session.masks.running)
    wait_until_saved(opened, qtbot)
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1


def test_a_review_that_waits_is_known_when_the_folder_is_opened_again(opened, folder, disk, qtbot):
    session = opened.session
    draw(opened)
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    session.close()
    session.open(folder)
    wait_for_mask(opened, qtbot, 1)  # the first that is not reviewed
    assert session.folder.state(0) is ImageState.REVIEWED
    session.go(0)
    wait_for_mask(opened, qtbot, 0)
    assert session.shown.draft().edited.all()  # no model may draw over it
    disk.full = False
    wait_until_saved(opened, qtbot)
    assert Dataset.open(session.folder.home)["a"].mask()[2, 3] == 1


def test_only_the_newest_mask_of_an_image_waits(opened, folder, disk, told, qtbot):
    session = opened.session
    masks = []
    for column in (3, 4, 5):
        draw(opened, column)
        session.save()
        masks.append(weakref.ref(session.shown.stored.mask))
    qtbot.wait(200)  # tried again
    gc.collect()
    assert [mask() is not None for mask in masks] == [False, False, True]
    disk.full = False
    wait_until_saved(opened, qtbot)
    assert disk.written.count("a") == 1
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3:6].tolist() == [1, 1, 1]


def test_one_that_cannot_be_written_holds_up_no_other(opened, folder, disk, told, qtbot):
    session = opened.session
    disk.full, disk.refused = False, "a"
    draw(opened)
    press(opened, "r")
    wait_for_mask(opened, qtbot, 1)
    draw(opened)
    press(opened, "r")
    wait_for_mask(opened, qtbot, 2)
    qtbot.waitUntil(lambda: session.folder.masks.unsaved("b") is None)
    assert [sample.stem for sample in Dataset.open(session.folder.home)] == ["b"]
    assert session.folder.masks.unsaved("a").draft.mask[2, 3] == 1
    assert len(told.texts) == 1
    disk.refused = None
    wait_until_saved(opened, qtbot)
    assert [sample.stem for sample in Dataset.open(session.folder.home)] == ["a", "b"]


@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
def test_an_older_mask_never_overtakes_a_newer_one_of_its_image(
    opened, folder, monkeypatch, qtbot, leaves
):
    write, refused = DraftFolder.write, threading.Event()
    room = threading.Event()

    def refuse_the_older(drafts, stem, draft):
        if draft.mask[2, 3] and not room.is_set():
            refused.set()
            raise VeinSegError("Not now.")
        write(drafts, stem, draft)

    monkeypatch.setattr(DraftFolder, "write", refuse_the_older)
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

    monkeypatch.setattr(MaskHome, "dataset", refuse)
    draw(opened)
    press(opened, "r")
    wait_until_saved(opened, qtbot)
    qtbot.waitUntil(lambda: bool(told.texts))
    assert told.texts == ["This is refused for good."]
    assert ImageFolder.open(folder).read(0).draft.mask[2, 3] == 1
    assert opened.session.folder.state(0) is ImageState.EDITED


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
    window, session = opened.viewer.window._qt_window, opened.session
    draw(opened)
    prediction = Draft(np.zeros_like(session.shown.mask.data))
    session.queue.add(session.folder, 1, Unsaved(prediction))  # a model makes it again: no loss
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


def test_the_question_at_closing_gives_every_reason_and_leaves_nothing(opened, disk, qtbot, asked):
    window = opened.viewer.window._qt_window
    draw(opened)
    opened.session.go(1)
    wait_for_mask(opened, qtbot, 1)
    draw(opened)
    texts = asked("Keep it open")
    assert not window.close()
    (text,) = texts
    assert "masks of 2 images" in text
    assert "drafts/a was not" in text.replace("\\", "/")
    assert "drafts/b was not" in text.replace("\\", "/")
    qtbot.waitUntil(lambda: not window.findChildren(QMessageBox))


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
