"""Layers come and go each in a turn of its own; what is asked for between two turns is right."""

from collections import Counter

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import QTimer

from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.image_files import write_image
from tests.widgets.workbench.conftest import press, wait_for_mask, wait_until_saved


@pytest.fixture
def with_masks(opened, folder, qtbot):
    """A closed folder whose images have masks, and the workbench."""
    session = opened.session
    qtbot.waitUntil(lambda: session.ahead.get(1) is not None, timeout=20_000)
    wait_until_saved(opened, qtbot)
    session.close()
    qtbot.waitUntil(lambda: not opened.viewer.layers)
    return opened


def reopen(bench, folder, qtbot):
    """Open the folder as far as its image is in the viewer, and its mask is still to come."""
    bench.session.open(folder)
    qtbot.waitUntil(lambda: bench.session.shown is not None, timeout=20_000)
    assert bench.session.waiting
    assert [type(layer) for layer in bench.viewer.layers] == [Image]


def test_no_turn_brings_or_takes_two_layers(with_masks, folder, qtbot):
    turn, changes = QTimer(), Counter()
    turn.ticks = 0

    def tick():
        turn.ticks += 1

    def note(_event):
        changes[turn.ticks] += 1

    turn.timeout.connect(tick)
    turn.start(0)
    events = with_masks.viewer.layers.events
    events.inserted.connect(note)
    events.removed.connect(note)
    with_masks.session.open(folder)
    wait_for_mask(with_masks, qtbot, 0)
    with_masks.session.close()
    qtbot.waitUntil(lambda: not with_masks.viewer.layers)
    assert sorted(changes.values()) == [1, 1, 1, 1]


def test_the_next_image_is_asked_for_before_the_first_has_its_mask(with_masks, folder, qtbot):
    reopen(with_masks, folder, qtbot)
    press(with_masks, ".")
    wait_for_mask(with_masks, qtbot, 1)
    shown = with_masks.session.shown
    assert [type(layer) for layer in with_masks.viewer.layers] == [Image, Labels]
    assert shown.image.name == "b.tif"
    np.testing.assert_array_equal(shown.mask.data, shown.image.data < 100)
    assert shown.image.visible
    assert with_masks.viewer.layers.selection.active is shown.mask


def test_a_review_that_is_asked_for_before_the_mask_is_there_takes_none(
    with_masks, folder, qtbot, told
):
    reopen(with_masks, folder, qtbot)
    press(with_masks, "r")
    wait_for_mask(with_masks, qtbot, 0)
    assert told.texts == []
    assert with_masks.session.folder.count(ImageState.REVIEWED) == 0


@pytest.mark.parametrize("how", ["folder", "dock", "other"])
def test_nothing_stays_of_what_was_coming_when_it_is_closed(
    with_masks, folder, qtbot, tmp_path, vein_image, how
):
    reopen(with_masks, folder, qtbot)
    if how == "folder":
        with_masks.session.close()
    elif how == "dock":
        with_masks.close_down()
    else:
        (tmp_path / "one").mkdir()
        write_image(tmp_path / "one" / "only.tif", vein_image[:40])
        with_masks.session.open(tmp_path / "one")
        wait_for_mask(with_masks, qtbot, 0)
    expected = ["only.tif", "only.tif veins"] if how == "other" else []
    qtbot.waitUntil(lambda: [layer.name for layer in with_masks.viewer.layers] == expected)
    qtbot.wait(100)
    assert [layer.name for layer in with_masks.viewer.layers] == expected


def test_a_folder_that_is_being_opened_does_not_come_once_the_dock_is_closed(bench, folder, qtbot):
    bench.session.open(folder)
    bench.close_down()
    qtbot.wait(500)
    assert bench.session.folder is None
    assert not bench.viewer.layers
