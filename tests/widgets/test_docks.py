"""Every dock explains each of its controls, can be used by keyboard and fits its width."""

import importlib
from itertools import pairwise
from pathlib import Path

import pytest
from napari.layers import Labels
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QWidget,
)

from napari_veinseg.widgets.common.choices import LayerChoice
from napari_veinseg.widgets.common.form import Hint, Section
from napari_veinseg.widgets.common.result_views import Plot
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget
from napari_veinseg.widgets.masks.error_layer import add_agreement_layer
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.segment.segment import SegmentWidget
from napari_veinseg.widgets.train.curves import CurvePlot
from napari_veinseg.widgets.train.train import TrainWidget

DOCKS = (SegmentWidget, CorrectWidget, TrainWidget, EvaluateWidget)
CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    CurvePlot,
    Plot,
)
WIDTH = 340


@pytest.fixture
def docks(viewer, stub, vein_image, monkeypatch, tmp_path):
    """Open one dock after another, with all sections, in a viewer of an image and its mask."""
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
    name = "a long name, as files from a camera have it, 2026-11-25 14-02-11.0001"
    image = viewer.add_image(vein_image, name=name)
    add_mask_layer(viewer, (vein_image < 50).astype("uint8"), image)

    opened = []

    def open_each():
        for kind in DOCKS:
            panel = kind(viewer)
            viewer.window.add_dock_widget(panel, name=kind.__name__)
            for section in panel.findChildren(Section):
                section.show()
            panel.resize(WIDTH, 700)
            panel.grab()  # lays everything out
            opened.append(panel)
            yield panel

    yield open_each
    for panel in opened:
        panel.closing.emit()


def controls(panel):
    """What a user handles; the inner parts of a control belong to it."""

    def is_part(widget):
        while (widget := widget.parent()) is not panel:
            if isinstance(widget, CONTROLS):
                return True
        return False

    kinds = [each for each in panel.findChildren(QWidget) if isinstance(each, CONTROLS)]
    return [each for each in kinds if not isinstance(each, QScrollBar) and not is_part(each)]


def words_of(control):
    text = getattr(control, "text", str)
    return (text() if callable(text) else "") or control.accessibleName() or type(control).__name__


def test_a_hint_gives_back_what_a_longer_text_took(qtbot):
    section, hint = Section("Room"), Hint()
    section.add_wide(hint)
    qtbot.addWidget(section)
    section.resize(300, 200)
    section.show()
    hint.setText("short")
    low = hint.height()
    hint.setText("long enough for several lines " * 9)
    assert hint.height() > 3 * low
    hint.setText("short")
    assert hint.height() == low


@pytest.mark.parametrize(
    "word",
    ["/data/" + "a_folder_of_photographs/" * 6 + "shot.tif", "x" * 150, "subject-04.arm_left" * 8],
)
def test_a_long_word_goes_on_in_the_next_line(qtbot, word):
    hint = Hint(f"Reading {word}: wait.")
    qtbot.addWidget(hint)
    assert hint.minimumSizeHint().width() < WIDTH
    assert hint.text() == f"Reading {word}: wait."
    low = Hint("Reading it.").heightForWidth(WIDTH)
    assert hint.heightForWidth(WIDTH) >= 2 * low
    hint.clear()
    assert hint.text() == ""


def test_every_control_is_explained_in_a_sentence_of_its_own(docks):
    for dock in docks():
        found = controls(dock)
        assert len(found) > 10
        told = {}
        for control in found:
            tip, words = control.toolTip(), words_of(control)
            assert tip.endswith("."), (words, tip)
            assert len(tip) > len(words) + 8 or len(tip) > 50, (
                f"{words!r} is only repeated: {tip!r}"
            )
            assert "  " not in tip, (words, tip)
            assert tip not in told, f"{words!r} and {told.get(tip)!r} have the same tooltip"
            told[tip] = words


def test_every_control_has_a_name_for_screen_readers(docks):
    for dock in docks():
        for control in controls(dock):
            text = getattr(control, "text", str)()
            assert control.accessibleName() or text, (control, control.toolTip())
            assert control.accessibleDescription() or isinstance(control, CurvePlot | Plot), control


def test_tab_goes_through_the_dock_from_top_to_bottom(docks):
    for dock in docks():
        at = {control: control.mapTo(dock, QPoint(0, 0)) for control in controls(dock)}
        body = dock.findChild(QScrollArea).widget()
        reached, widget = [], dock
        while (widget := widget.nextInFocusChain()) is not dock:
            owner = next((each for each in at if each is widget or each.isAncestorOf(widget)), None)
            takes_tab = bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
            if owner is not None and takes_tab and owner.isVisibleTo(dock) and owner not in reached:
                reached.append(owner)
        assert len(reached) > 8
        foot = {each: 10_000 * (not body.isAncestorOf(each)) for each in reached}
        places = [(foot[c] + at[c].y() + c.height() // 2, at[c].x()) for c in reached]
        order = [f"{words_of(each)} {place}" for each, place in zip(reached, places, strict=True)]
        for (above, before), (below, after) in pairwise(places):
            same_row = abs(above - below) < 8
            assert (after > before) if same_row else below > above, "\n".join(order)


def actions_of(menu):
    for action in menu.actions():
        yield action
        if action.menu():
            yield from actions_of(action.menu())


def test_no_mnemonic_is_one_of_napari_s_own_keys(docks, viewer):
    for dock in docks():
        bar = viewer.window._qt_window.menuBar()
        keys = [key.toString() for action in actions_of(bar) for key in action.shortcuts()]
        menus = [QKeySequence.mnemonic(action.text()).toString() for action in bar.actions()]
        assert {"Alt+S", "Alt+F"} <= {*keys, *menus}
        ours = [QKeySequence.mnemonic(each.text()) for each in dock.findChildren(QPushButton)]
        ours = [key.toString() for key in ours if not key.isEmpty()]
        assert len(ours) == len(set(ours))
        assert not {*ours} & {*keys, *menus}


def test_an_agreement_layer_is_offered_nowhere_as_a_mask(docks):
    for dock in docks():
        mask = next(layer for layer in dock.viewer.layers if isinstance(layer, Labels))
        painted = add_agreement_layer(dock.viewer, mask.data, mask, "agreement")
        for choice in dock.findChildren(LayerChoice):
            assert choice.findText("agreement") == -1
        dock.viewer.layers.remove(painted)


def test_nothing_is_wider_than_the_dock(docks):
    for dock in docks():
        scroll = dock.findChild(QScrollArea)
        assert scroll.widget().minimumSizeHint().width() <= scroll.viewport().width()
        assert dock.minimumSizeHint().width() <= WIDTH
        for each in dock.findChildren(QPushButton) + dock.findChildren(QCheckBox):
            if each.isVisibleTo(dock):
                assert each.width() >= each.minimumSizeHint().width(), f"{each.text()!r} is cut off"


def test_wrapped_text_takes_no_room_from_other_rows(docks):
    for dock in docks():
        for hint in dock.findChildren(Hint):
            if hint.whole and hint.isVisibleTo(dock) and hint.text():
                assert hint.height() == hint.heightForWidth(hint.width()), hint.text()


def test_the_drawing_of_a_dock_has_its_foot(docks, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    whole = importlib.import_module("docks").whole
    for dock in docks():
        drawn = whole(dock).toImage()
        contents = dock.findChild(QScrollArea).widget().grab().toImage()
        feet = [dock.layout().itemAt(place).widget() for place in range(1, dock.layout().count())]
        height = sum(foot.grab().height() for foot in feet if not foot.isHidden())
        assert drawn.height() == contents.height() + height
        below = drawn.copy(0, contents.height(), drawn.width(), height)
        colours = {below.pixel(x, y) for x in range(below.width()) for y in range(below.height())}
        assert len(colours) > 1 or not height  # words and buttons, not an empty strip
