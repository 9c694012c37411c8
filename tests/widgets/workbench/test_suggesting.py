"""A folder of photographs of scenes has its model suggested, and nobody's choice is changed."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_veinseg.data.image_files import write_image
from napari_veinseg.widgets.masks.layer_metadata import record_of
from tests.widgets.workbench.conftest import wait_for_mask

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def write_folder(tmp_path, vein_image):
    def write(in_colour):
        path = tmp_path / "scenes"
        path.mkdir()
        grey = np.tile(vein_image, (9, 9))[:360, :360].astype(np.uint8)  # 6 px are thin
        image = np.stack([grey, grey // 4, grey], axis=-1) if in_colour else grey
        for name in ("a.png", "b.png"):
            write_image(path / name, image)
        return path

    return write


def test_one_click_takes_the_suggested_model(bench, write_folder, qtbot):
    choice, suggestion = bench.segment.model, bench.segment.suggestion
    assert choice.name == "starter"
    bench.session.open(write_folder(in_colour=True))
    wait_for_mask(bench, qtbot, 0)
    qtbot.waitUntil(suggestion.isVisible)
    assert choice.name == "starter"  # it is only suggested
    bench.session.where_to.step(1)
    wait_for_mask(bench, qtbot, 1)
    assert suggestion.isVisible()
    QTest.mouseClick(suggestion.use, LEFT)
    assert choice.name == bench.train.base.name == "forearm"
    assert not suggestion.isVisible()
    choice.choose("starter")
    qtbot.waitUntil(suggestion.isVisible)


def test_grey_images_have_none_suggested(bench, write_folder, qtbot):
    bench.session.open(write_folder(in_colour=False))
    wait_for_mask(bench, qtbot, 0)
    assert not bench.segment.suggestion.isVisible()


def test_what_a_training_starts_from_makes_no_mask(bench, write_folder, qtbot, stub):
    bench.session.open(write_folder(in_colour=False))
    wait_for_mask(bench, qtbot, 0)
    qtbot.waitUntil(lambda: not bench.session.working)
    calls, base = stub.calls, bench.train.base
    base.choose("forearm")
    assert bench.segment.model.name == bench.status.shown_model == "starter"
    assert bench.session.folder.drafts.last_model() != "forearm"
    bench.session.where_to.step(1)
    wait_for_mask(bench, qtbot, 1)
    assert record_of(bench.session.shown.mask).notes.model.startswith("starter ")
    assert stub.calls <= calls + 1  # the next image, if it was not ready, and none anew
    assert base.name == "forearm"


def test_what_a_training_starts_from_goes_along_until_it_is_chosen_apart(bench):
    choice, base = bench.segment.model, bench.train.base
    choice.choose("forearm")
    assert base.name == "forearm"
    base.choose("starter")
    assert choice.name == "forearm"
    choice.choose("starter")
    choice.choose("forearm")  # they were alike again
    assert base.name == "forearm"
