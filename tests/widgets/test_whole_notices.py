"""What the plugin tells can be read to its end, however long it is and however small the screen."""

from itertools import combinations

import pytest
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.settings import get_settings
from napari.utils import notifications
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_veinseg.errors import VeinSegError
from napari_veinseg.widgets.common.last_failure import LastFailure
from napari_veinseg.widgets.common.notify import report, show_info
from napari_veinseg.widgets.common.whole_notices import broken

PATH = "/home/somebody/a folder of forearms/" + "_".join(["a_very_long_name"] * 6) + ".tif"


@pytest.fixture
def canvas(make_napari_viewer, monkeypatch):
    monkeypatch.setattr(get_settings().application, "gui_notification_level", "info")
    monkeypatch.setattr(NapariQtNotification, "_instances", [])  # others are of closed viewers
    viewer = make_napari_viewer(show=True)
    monkeypatch.setattr(NapariQtNotification, "DISMISS_AFTER", 4000)  # a test's viewer has 0
    dock = QWidget(objectName="dock")
    dock.setMinimumWidth(380)
    viewer.window.add_dock_widget(dock)
    viewer.window._qt_window.resize(1024, 700)
    QTest.qWaitForWindowExposed(viewer.window._qt_window)
    yield viewer.window._qt_viewer.canvas.native
    for notice in list(NapariQtNotification._instances):
        notice.close()


@pytest.mark.parametrize("lines", [1, 3])
def test_a_long_notice_is_seen_whole(canvas, qtbot, lines):
    text = " ".join([f"{PATH} cannot be read: it is no image that this program knows."] * lines)
    report(VeinSegError(text), "Opening", None)
    (notice,) = NapariQtNotification._instances
    qtbot.waitUntil(lambda: notice.opacity_anim.state() == notice.opacity_anim.State.Stopped)
    label = notice.message
    assert label.text().replace("\n", "") == text.replace("\n", "")
    assert "…" not in label._elidedText()
    assert label._elidedText().replace("\n", "") == text
    metrics = label.fontMetrics()
    assert all(metrics.horizontalAdvance(word) <= label.width() for word in label.text().split())
    assert canvas.rect().contains(notice.geometry())
    assert notice.timer.isActive()
    assert notice.timer.interval() > min(50 * len(text), 14_000)


def test_a_notice_that_is_longer_than_the_canvas_stays_inside(canvas):
    show_info("a word " * 2000)
    (notice,) = NapariQtNotification._instances
    assert canvas.rect().contains(notice.geometry())


def test_notices_do_not_cover_each_other(canvas):
    for text in ("One thing.", f"{PATH} is another.", "A third."):
        show_info(text)
    places = [notice.geometry() for notice in NapariQtNotification._instances]
    assert len(places) == 3
    assert all(canvas.rect().contains(place) for place in places)
    assert not any(one.intersects(other) for one, other in combinations(places, 2))
    for number in range(20):
        show_info(f"{PATH} is number {number}.")
    assert canvas.rect().contains(NapariQtNotification._instances[-1].geometry())


def test_what_the_dock_says_goes_by_as_napari_shows_it(canvas):
    main = canvas.window()
    dock = main.findChild(QWidget, "dock")
    trouble = dock.trouble = LastFailure(dock)
    text = f"{PATH} cannot be read: it is no image that this program knows."
    report(VeinSegError(text), "Opening", dock)
    assert trouble.isVisible()
    assert trouble.text == text
    (notice,) = NapariQtNotification._instances
    assert notice.message.text() == text
    assert canvas.rect().contains(notice.geometry())
    assert notice.timer.isActive()
    assert notice.timer.interval() == notice.DISMISS_AFTER
    dock.hide()  # as a tab that is not in front
    report(VeinSegError(text + " It is told again."), "Opening", dock)
    assert NapariQtNotification._instances[-1].timer.interval() > notice.DISMISS_AFTER


def test_no_notice_waits_for_another_to_go(canvas):
    for number in range(3):
        show_info(f"{PATH} is number {number}. " * 9)
    notices = NapariQtNotification._instances
    assert all(notice.timer.isActive() for notice in notices)
    assert max(notice.timer.interval() for notice in notices) <= 15_000


def test_a_notice_that_somebody_unfolded_stays(canvas):
    notifications.show_info("What another plugin says.")
    (notice,) = NapariQtNotification._instances
    notice.toggle_expansion()
    assert not notice.timer.isActive()
    show_info("Another.")
    assert not notice.timer.isActive()


def test_words_are_broken_at_their_joints():
    assert (
        broken("see /a/bb/ccc.tif now", lambda part: len(part) < 7) == "see /a/bb/\nccc.\ntif now"
    )
    assert broken("nothing  to do", lambda part: len(part) < 8) == "nothing  to do"
