"""The keyboard never lands on a control that nobody chose."""

import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QCheckBox, QPushButton, QVBoxLayout, QWidget

from napari_veinseg.widgets.common.focus import FocusKeeper


class Part(QWidget):
    """A button, its counterpart, and a switch that must not be pressed by chance."""

    def __init__(self):
        super().__init__()
        self.start, self.stop, self.switch = QPushButton("S"), QPushButton("T"), QCheckBox("L")
        self.inner = QWidget()
        column, rows = QVBoxLayout(self), QVBoxLayout(self.inner)
        for each in (self.start, self.stop):
            rows.addWidget(each)
        column.addWidget(self.inner)
        column.addWidget(self.switch)
        self.keeper = FocusKeeper(self)
        self.keeper.pair(self.start, self.stop)


@pytest.fixture(params=[True, False], ids=["in front", "in the background"])
def part(qtbot, request):
    made, other = Part(), QWidget()
    for each in (other, made):
        qtbot.addWidget(each)
        each.show()
        QTest.qWaitForWindowExposed(each)
    made.activateWindow()
    made.start.setFocus()
    QTest.qWait(20)
    if not request.param:
        other.activateWindow()
        QTest.qWait(20)
    return made


GOING = {
    "by itself": (
        lambda part: part.start.setEnabled(False),
        lambda part: part.start.setEnabled(True),
    ),
    "with what holds it": (
        lambda part: part.inner.setEnabled(False),
        lambda part: part.inner.setEnabled(True),
    ),
}


@pytest.mark.parametrize("going", GOING)
def test_a_button_gets_the_keyboard_back_when_it_is_there_again(part, going):
    go, come = GOING[going]
    part.stop.setEnabled(False)
    go(part)
    QTest.qWait(20)
    assert part.focusWidget() is part
    come(part)
    QTest.qWait(20)
    assert part.focusWidget() is part.start


@pytest.mark.parametrize("order", ["start first", "stop first"])
def test_the_counterpart_takes_the_keyboard_and_hands_it_back(part, order):
    def switch(running):
        for each in (part.start, part.stop) if order == "start first" else (part.stop, part.start):
            each.setEnabled(running is (each is part.stop))
        QTest.qWait(20)

    switch(True)
    assert part.focusWidget() is part.stop
    switch(False)
    assert part.focusWidget() is part.start


def test_the_counterpart_takes_the_keyboard_also_when_it_comes_later(part):
    part.start.setEnabled(False)
    QTest.qWait(20)
    part.stop.setEnabled(False)  # both are at rest while the run ends
    QTest.qWait(20)
    assert part.focusWidget() is part
    part.start.setEnabled(True)
    QTest.qWait(20)
    assert part.focusWidget() is part.start


def test_what_is_hidden_hands_the_keyboard_to_no_neighbour(part):
    part.stop.setEnabled(False)
    part.inner.hide()
    QTest.qWait(20)
    assert part.focusWidget() is part
    part.inner.show()  # perhaps with something else to decide
    QTest.qWait(20)
    assert part.focusWidget() is part


def test_who_went_elsewhere_is_not_called_back(part):
    part.stop.setEnabled(False)
    part.start.setEnabled(False)
    part.switch.setFocus()
    part.start.setEnabled(True)
    QTest.qWait(20)
    assert part.focusWidget() is part.switch


def test_a_control_that_is_no_more_is_forgotten(part, qtbot):
    part.switch.setFocus()
    QTest.qWait(20)
    with qtbot.waitSignal(part.switch.destroyed):
        part.switch.deleteLater()
    for each in (part.stop, part.start):
        each.setFocus()  # an error in a slot fails the test
        QTest.qWait(20)
    part.start.setEnabled(False)
    QTest.qWait(20)
    assert part.window().focusWidget() is part.stop
