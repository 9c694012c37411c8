"""What failed in the workbench stays in sight, whichever part of it failed."""

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_veinseg.correction.mask_store import MaskHome
from napari_veinseg.data.image_files import write_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common import notify
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import place_of
from napari_veinseg.widgets.workbench.past_notices import PastNotices
from tests.widgets.workbench.conftest import wait_for_mask, wait_until_saved


def test_whatever_fails_has_a_place_to_say_so(opened):
    window = opened.viewer.window._qt_window
    jobs = window.findChildren(Job)
    assert len(jobs) > 20
    outlives_the_dock = opened.session.queue._job  # its text is asked for, see below
    silent = [job._doing for job in jobs if place_of(job) is None and job is not outlives_the_dock]
    assert not silent


def test_a_folder_that_is_not_there_is_said_below_the_tabs(bench, qtbot, folder, tmp_path):
    bench.session.open(tmp_path / "missing")
    qtbot.waitUntil(lambda: bench.trouble.isVisible())
    assert "missing" in bench.trouble.text
    bench.session.open(folder)
    assert not bench.trouble.isVisible(), "it is tried again"
    wait_for_mask(bench, qtbot, 0)


def test_a_mask_that_cannot_be_written_is_said_as_long_as_it_waits(opened, qtbot, monkeypatch):
    bench = opened
    wait_until_saved(bench, qtbot)

    def refuse(_self, _stem):
        raise VeinSegError("The folder is read-only.")

    with monkeypatch.context() as patched:
        patched.setattr(MaskHome, "write", refuse)
        bench.session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
        bench.session.save()
        qtbot.waitUntil(lambda: bench.trouble.isVisible())
        assert bench.trouble.text.startswith("The folder is read-only.")
        assert "tried again" in bench.trouble.text
        bench.trouble.tell("Learning", "It cannot begin.")
        for _ in range(2):
            bench.session.queue._try_again()
            qtbot.waitUntil(lambda: not bench.session.queue._job.running)
        assert bench.trouble.text == "It cannot begin.", "what is newer stays in sight"
        bench.trouble.forget("Learning")
    bench.session.queue._try_again()
    wait_until_saved(bench, qtbot)
    qtbot.waitUntil(lambda: not bench.trouble.isVisible())


def test_what_was_said_of_an_image_goes_with_it(opened, qtbot):
    opened.segment.trouble.tell("Segmenting", "No vein was found in 'a.tif'.")
    opened.session.go(1)
    wait_for_mask(opened, qtbot, 1)
    assert not opened.segment.trouble.text


def test_notices_that_are_gone_are_read_again(bench):
    notify.past_notices.clear()
    notify.show_info("The report is in this folder.")
    notify.show_error("The disk is full.")
    QTest.mouseClick(bench.status.notices, Qt.MouseButton.LeftButton)
    (opened,) = bench.status.findChildren(PastNotices)
    text = opened.text.toPlainText()
    assert text.index("Error: The disk is full.") < text.index("Done: The report is in this")
    opened.close()


def test_a_mask_whose_2_may_be_a_second_piece_is_told_as_long_as_it_is_shown(
    bench, qtbot, tmp_path, vein_image
):
    numbered = np.zeros(vein_image.shape, np.uint8)
    numbered[10:12], numbered[30:32] = 1, 2
    for stem, mask in (("a", numbered), ("b", numbered.clip(0, 1)), ("c", numbered)):
        for room, pixels in (("images", vein_image), ("masks", mask)):
            (tmp_path / "set" / room).mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / "set" / room / f"{stem}.tif", pixels)
    (tmp_path / "set" / "images" / "c.tif").write_text("broken")
    bench.session.open(tmp_path / "set")
    wait_for_mask(bench, qtbot, 0)
    assert bench.trouble.isVisible()
    assert bench.trouble.text.startswith("In a.tif one piece is 1 and one is 2")
    np.testing.assert_array_equal(bench.session.shown.mask.data, numbered)
    bench.session.go(1)
    wait_for_mask(bench, qtbot, 1)
    assert not bench.trouble.isVisible()
    bench.session.go(0)
    wait_for_mask(bench, qtbot, 0)
    assert bench.trouble.isVisible()
    bench.session.go(2)
    qtbot.waitUntil(lambda: bench.session.shown is None)
    assert not bench.trouble.isVisible(), "it is of an image that is seen no more"


def test_what_was_said_of_a_folder_goes_with_it(bench, qtbot, folder):
    mask = np.zeros((64, 80), np.uint8)
    mask[30:34] = 255
    write_image(folder / "a_mask.tif", mask)
    bench.session.open(folder)
    qtbot.waitUntil(bench.trouble.isVisible)
    bench.session.close()
    assert not bench.trouble.isVisible()
