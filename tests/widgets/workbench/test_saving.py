"""What a person has drawn waits for room on a full disk, and comes back meanwhile."""

import threading

import numpy as np
import pytest

from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.workbench import saving
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
