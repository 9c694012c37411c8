"""Long names lose their middle, never a part of a letter at the end."""

import numpy as np
import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMenu, QWidget

from napari_veinseg.widgets.common.elided import NameButton, NameLabel
from napari_veinseg.widgets.common.form import column, explain
from napari_veinseg.widgets.common.inputs import FolderField
from napari_veinseg.widgets.common.result_views import FigureTable

NAME = "forearm_left_2026-11-25_14-02-11_wide_as_www.tif"


@pytest.fixture
def dock(viewer):
    """A shown dock, for napari's style has margins and a font of its own."""
    made = QWidget()
    column(made)
    viewer.window.add_dock_widget(made, name="Names")
    viewer.show()
    QTest.qWaitForWindowExposed(viewer.window._qt_window)
    return made


def ink(part):
    """How many pixels are drawn in another colour than the ground, in the middle rows."""
    image = part.grab().toImage()
    rows = range(6, image.height() - 6)
    drawn = [[image.pixel(x, y) for x in range(5, image.width() - 5)] for y in rows]
    _, counts = np.unique(np.array(drawn), return_counts=True)
    return counts.sum() - counts.max()


@pytest.mark.parametrize("width", [60, 131, 200])
@pytest.mark.parametrize("kind", ["label", "button", "button with a menu"])
def test_what_is_drawn_of_a_long_name_is_whole(dock, kind, width):
    part = NameLabel() if kind == "label" else NameButton()
    dock.layout().addWidget(part)
    part.setMinimumWidth(0)
    if "menu" in kind:
        part.setMenu(QMenu(part))
    part.show_name(NAME)
    part.setFixedWidth(width)
    QTest.qWait(20)
    assert part.text() == NAME
    drawn = part.drawn_text()
    assert "…" in drawn
    assert drawn[0] == NAME[0]
    assert drawn[-1] == NAME[-1] or len(drawn) < 3
    cramped = ink(part)
    assert cramped > 0
    part.show_name(drawn)
    part.setFixedWidth(width + 60)  # there all of it has room
    QTest.qWait(20)
    assert part.drawn_text() == drawn
    assert abs(ink(part) - cramped) <= 0.02 * cramped


def test_a_name_that_fits_is_not_shortened(dock):
    label = NameLabel()
    dock.layout().addWidget(label)
    label.show_name(NAME)
    label.setFixedWidth(label.fontMetrics().horizontalAdvance(NAME) + 6)
    assert label.drawn_text() == NAME


def test_a_figure_behind_a_name_stays(dock):
    button = NameButton()
    dock.layout().addWidget(button)
    button.show_name(NAME, "/   12 of 345 reviewed")
    button.setFixedWidth(300)
    QTest.qWait(20)
    assert button.text() == f"{NAME}/   12 of 345 reviewed"
    assert button.drawn_text().endswith("…ww.tif/   12 of 345 reviewed"[3:])
    assert "…" in button.drawn_text()


def test_a_long_path_shows_its_end_until_it_is_typed_in(dock):
    field = FolderField("Choose", "Choose a folder.")
    explain(field, "The folder that is evaluated on.")
    dock.layout().addWidget(field)
    field.setFixedWidth(160)
    field.setText("/home/somebody/photographs/forearms_veins")
    assert field.drawn_text().startswith("…")
    assert field.drawn_text().endswith("forearms_veins")
    assert field.toolTip() == f"{field.text()}\nThe folder that is evaluated on."
    assert ink(field)
    field.setText("veins")
    assert field.drawn_text() == "veins"


def test_figures_leave_room_for_names(dock):
    table = FigureTable("Means", ["Mean", "IoU", "clDice", "Centreline recall"], 3)
    dock.layout().addWidget(table)
    table.setFixedWidth(340)
    name = "my finger model"
    table.fill([(name, 0.5, 0.6, 0.7)])
    QTest.qWait(20)
    header, metrics = table.horizontalHeader(), table.fontMetrics()
    assert header.sectionSize(0) > metrics.horizontalAdvance(name) + 8
    assert header.sectionSize(3) > header.fontMetrics().horizontalAdvance("Centreline") + 8
    assert sum(map(header.sectionSize, range(4))) <= 340
