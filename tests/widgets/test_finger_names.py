"""The finger is marked in an example name by the mouse."""

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_veinseg.widgets.common.finger_names import FingerNames
from napari_veinseg.widgets.common.panel import Panel
from napari_veinseg.widgets.common.style import MAIN_COLOUR

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
    there = names.example.textCursor()
    there.setPosition(sign)
    return names.example.cursorRect(there).center() + QPoint(2, 0)


def marked(example):
    """Return the part that is seen to be marked."""
    return "".join(each.cursor.selectedText() for each in example.extraSelections())


def test_a_click_marks_a_part_and_shift_takes_more(names, qtbot):
    assert marked(names.example) == "004_L", "the suggestion is seen in the example"
    with qtbot.waitSignal(names.changed):
        QTest.mouseClick(names.example.viewport(), LEFT, NONE, at(names, 1))
    assert marked(names.example) == "004"
    assert "2 subjects" in names.groups.text()
    assert "004: 004_L_1, 004_L_2, 004_R_1" in names.groups.text()
    QTest.mouseClick(names.example.viewport(), LEFT, SHIFT, at(names, 4))
    assert marked(names.example) == "004_L"
    assert "3 subjects" in names.groups.text()
    assert names.finger_pattern() == names.pattern.text() != ""


def test_the_mark_stays_wherever_the_keyboard_goes(names, qtbot):
    qtbot.waitExposed(names)
    for reason in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.MouseFocusReason):
        names.example.setFocus(reason)
        assert marked(names.example) == "004_L"
        names.by_name.setFocus(reason)
        assert marked(names.example) == "004_L"


def test_a_drag_marks_just_what_it_sweeps(names):
    begin, end = at(names, 0), at(names, 2)
    QTest.mousePress(names.example.viewport(), LEFT, NONE, begin)
    QTest.mouseMove(names.example.viewport(), end)
    QTest.mouseRelease(names.example.viewport(), LEFT, NONE, end)
    assert marked(names.example) == "00"
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


def coloured(names, start, end):
    """Tell for each sign of the example whether it stands on the colour of a mark."""
    field = names.example
    drawn = field.viewport().grab().toImage()

    def has_mark(sign):
        there = field.textCursor()
        there.setPosition(sign)
        box = field.cursorRect(there)
        place = QPoint(box.center().x() + 1, box.top() + 1) * drawn.devicePixelRatio()
        return drawn.pixelColor(place).getRgb()[:3] == MAIN_COLOUR

    return [has_mark(sign) for sign in range(start, end)]


LONG = [f"subject_{number:04}_forearm_left_session_03_shot_01" for number in (42, 43)]


@pytest.mark.parametrize("stems", [NAMES, LONG])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_is_marked_is_painted_so_in_a_dock_and_all_of_it_is_seen(viewer, qtbot, stems, theme):
    viewer.theme = theme
    panel = Panel(viewer)
    viewer.window.add_dock_widget(panel, name="Panel")
    names = FingerNames("")
    panel.add(names)
    viewer.show()
    QTest.qWaitForWindowExposed(viewer.window._qt_window)
    names.show_names(stems)
    field, name = names.example, stems[0]
    part = name.split("_")[1]
    begin, end = name.index(part), name.index(part) + len(part)
    QTest.mouseClick(field.viewport(), LEFT, NONE, at(names, begin + 1))
    for has_keyboard in (True, False):
        (field if has_keyboard else names.advanced).setFocus()
        QTest.qWait(20)
        assert marked(field) == part
        in_colour = coloured(names, 0, len(name) - 1)
        assert in_colour == [begin <= sign < end for sign in range(len(name) - 1)]
    last = field.textCursor()
    last.setPosition(len(name))
    assert field.viewport().rect().contains(field.cursorRect(last).adjusted(0, 2, 0, -2))
