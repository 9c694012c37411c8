"""The finger is marked in an example name by the mouse."""

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_veinseg.widgets.common.finger_names import FingerNames

NAMES = ["004_L_1", "004_L_2", "004_R_1", "017_L_1"]
LEFT, NONE, SHIFT = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def names(qtbot):
    made = FingerNames("Only if it is so.")
    qtbot.addWidget(made)
    made.resize(380, 300)
    made.show()
    made.show_names(NAMES)
    QTest.mouseClick(made.by_name, LEFT, NONE, QPoint(8, made.by_name.height() // 2))
    assert made.by_name.isChecked()
    return made


def at(names, sign):
    """Return the place just right of the beginning of a sign of the example."""
    marked = names.example.selectionStart(), len(names.example.selectedText())
    names.example.setCursorPosition(sign)
    place = names.example.cursorRect().center() + QPoint(2, 0)
    if marked[0] >= 0:
        names.example.setSelection(*marked)
    return place


def test_a_click_marks_a_part_and_shift_takes_more(names, qtbot):
    assert names.example.selectedText() == "004_L", "the suggestion is seen in the example"
    with qtbot.waitSignal(names.changed):
        QTest.mouseClick(names.example, LEFT, NONE, at(names, 1))
    assert names.example.selectedText() == "004"
    assert "2 subjects" in names.groups.text()
    assert "004: 004_L_1, 004_L_2, 004_R_1" in names.groups.text()
    QTest.mouseClick(names.example, LEFT, SHIFT, at(names, 4))
    assert names.example.selectedText() == "004_L"
    assert "3 subjects" in names.groups.text()
    assert names.finger_pattern() == names.pattern.text() != ""


def test_the_mark_stays_wherever_the_keyboard_goes(names, qtbot):
    qtbot.waitExposed(names)
    for reason in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.MouseFocusReason):
        names.example.setFocus(reason)
        assert names.example.selectedText() == "004_L"
        names.by_name.setFocus(reason)
        assert names.example.selectedText() == "004_L"


def test_a_drag_marks_just_what_it_sweeps(names):
    begin, end = at(names, 0), at(names, 2)
    QTest.mousePress(names.example, LEFT, NONE, begin)
    QTest.mouseMove(names.example, end)
    QTest.mouseRelease(names.example, LEFT, NONE, end)
    assert names.example.selectedText() == "00"
    assert "00: 004_L_1" in names.groups.text()


def test_the_expression_is_behind_advanced_and_told_when_it_is_none(names):
    assert not names.pattern.isVisible()
    QTest.mouseClick(names.advanced, LEFT)
    assert names.pattern.isVisible()
    names.pattern.selectAll()
    QTest.keyClicks(names.pattern, "^(.+")
    assert "no regular expression" in names.groups.text()
    QTest.keyClicks(names.pattern, ")_L")
    assert "no subject in 004_R_1" in names.groups.text()


def test_without_the_tick_there_is_no_pattern(names):
    QTest.mouseClick(names.by_name, LEFT, NONE, QPoint(8, names.by_name.height() // 2))
    assert names.finger_pattern() is None
    assert not names.example.isVisible()
    assert not names.groups.isVisible()
