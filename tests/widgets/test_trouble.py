"""What failed stays readable: in its dock until it is tried again, and in the list of notices."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_veinseg.errors import Cancelled, VeinSegError
from napari_veinseg.widgets.common import notify
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.common.notify import reported
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget

LONG = "/data/" + "/".join(f"a_folder_with_a_long_name_{n}" for n in range(6))


@pytest.fixture
def panel(viewer):
    made = Panel(viewer)
    viewer.window.add_dock_widget(made, name="Panel")
    return made


@pytest.fixture
def inner(panel):
    part = QWidget()
    panel.add_section("Part").add_wide(part)
    return part


def fail(error):
    def work(_reporter):
        raise error

    return work


def run(qtbot, job, work, done=lambda _result: None):
    job.start(work, done)
    qtbot.waitUntil(lambda: not job.running)


@pytest.mark.parametrize("error", [VeinSegError("The disk is full."), ValueError("a bug")])
def test_what_failed_in_a_job_stays_until_it_is_tried_again(panel, inner, qtbot, error):
    job, other = Job("Working", inner), Job("Reading", panel)
    run(qtbot, job, fail(error))
    assert str(error) in panel.trouble.text
    assert panel.trouble.isVisibleTo(panel)
    run(qtbot, other, lambda _: None)
    assert panel.trouble.isVisibleTo(panel), "it was not this that failed"
    job.start(lambda _: None, lambda _: None)
    assert not panel.trouble.isVisibleTo(panel)
    qtbot.waitUntil(lambda: not job.running)


def test_what_failed_while_a_result_was_shown_stays_as_well(panel, inner, qtbot):
    def refuse(_result):
        raise VeinSegError("No room for it.")

    def refuse_late(_result):
        yield
        raise VeinSegError("No room for the rest.")

    for done, said in ((refuse, "No room for it."), (refuse_late, "No room for the rest.")):
        run(qtbot, Job("Working", inner), lambda _: None, done)
        assert panel.trouble.text == said


def test_a_cancelled_job_is_no_trouble(panel, inner, qtbot):
    run(qtbot, Job("Working", inner), fail(Cancelled("The work was cancelled.")))
    assert not panel.trouble.isVisibleTo(panel)


def test_two_troubles_are_both_known_and_a_click_takes_them_away(panel, inner):
    for doing in ("Saving", "Reading"):
        with reported(doing, inner):
            raise VeinSegError(f"{doing} is refused.")
    assert panel.trouble.text == "Reading is refused."
    with reported("Reading", inner):
        pass
    assert panel.trouble.text == "Saving is refused."
    QTest.mouseClick(panel.trouble.away, Qt.MouseButton.LeftButton)
    assert not panel.trouble.isVisibleTo(panel)


def test_a_long_path_neither_widens_the_dock_nor_makes_the_window_grow(viewer, panel, inner, qtbot):
    window = viewer.window._qt_window
    window.resize(1024, 700)
    viewer.show()
    QTest.qWaitForWindowExposed(window)
    width, height, wide = window.width(), window.height(), panel.width()
    with reported("Reading", inner):
        raise VeinSegError(f"{LONG} cannot be read: check its rights.")
    qtbot.waitUntil(panel.trouble.label.isVisible)
    QTest.qWait(50)
    assert (window.width(), window.height(), panel.width()) == (width, height, wide)
    label = panel.trouble.label
    assert label.height() == label.heightForWidth(label.width())
    assert label.toolTip() == f"{LONG} cannot be read: check its rights."


def test_every_section_of_evaluate_says_in_the_dock_what_is_missing(viewer, stub):
    evaluate = EvaluateWidget(viewer)
    viewer.window.add_dock_widget(evaluate, name="Evaluate")
    QTest.mouseClick(evaluate.on_dataset.evaluate, Qt.MouseButton.LeftButton)
    assert evaluate.trouble.text.startswith("Choose a dataset first")
    QTest.mouseClick(evaluate.repeated_shots.judge, Qt.MouseButton.LeftButton)
    assert evaluate.trouble.text.startswith("Choose a folder of masks")


def test_every_notice_is_remembered_with_its_time(told):
    notify.past_notices.clear()
    notify.show_info("Saved.")
    notify.show_warning("Faint.")
    with reported("Reading", None):
        raise VeinSegError("Refused.")
    assert [(each.kind, each.text) for each in notify.past_notices] == [
        ("Done", "Saved."),
        ("Warning", "Faint."),
        ("Error", "Refused."),
    ]
    assert all(each.time.count(":") == 2 for each in notify.past_notices)
