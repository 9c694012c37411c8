"""What belongs to one image or one tab is gone when another is on the screen."""

import numpy as np
import pytest
from napari.layers import Image

from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.masks.layers import add_mask_layer
from tests.widgets.workbench.conftest import (
    open_in_evaluate,
    open_in_train,
    press,
    wait_for_mask,
)


@pytest.mark.parametrize(
    ("tab", "open_image"), [("Train", open_in_train), ("Evaluate", open_in_evaluate)]
)
@pytest.mark.parametrize("other", ["Segment", "Correct", "Train", "Evaluate"])
def test_what_a_tab_has_opened_does_not_hide_the_image_of_another_tab(
    opened, vein_image, qtbot, tab, open_image, other
):
    layers = list(opened.viewer.layers)
    opened.tabs.show_tab(tab)
    open_image(opened, qtbot, "b", vein_image, (vein_image > 0).astype(np.uint8))
    with_errors = list(opened.viewer.layers)
    opened.tabs.show_tab(other)
    expected = with_errors if other == tab else layers
    qtbot.waitUntil(lambda: list(opened.viewer.layers) == expected)
    qtbot.wait(50)
    assert list(opened.viewer.layers) == expected


def test_the_mask_of_the_folder_is_the_one_that_sliders_change(bench, folder, qtbot, vein_image):
    image = bench.viewer.add_image(vein_image, name="before")
    mask = add_mask_layer(
        bench.viewer, np.zeros(vein_image.shape, np.uint8), image, probability=vein_image / 255.0
    )
    assert bench.segment.mask.masks.layer is mask
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    qtbot.waitUntil(lambda: bench.segment.mask.masks.layer is bench.session.shown.mask)
    press(bench, ".")
    wait_for_mask(bench, qtbot, 1)
    assert bench.segment.mask.masks.layer is bench.session.shown.mask


def test_going_on_while_segment_works_is_no_change_of_the_image(opened, qtbot, stub, told):
    qtbot.waitUntil(lambda: 1 in opened.session.ahead, timeout=20_000)
    stub.gate.clear()
    opened.segment.segment.click()
    assert opened.segment.job.running
    press(opened, ".")
    assert not opened.segment.job.running
    stub.gate.set()
    wait_for_mask(opened, qtbot, 1)
    qtbot.wait(100)
    assert told.texts == []


def test_the_width_that_was_measured_in_an_image_goes_with_it(opened, qtbot):
    opened.segment.segment.click()
    qtbot.waitUntil(lambda: not opened.segment.job.running, timeout=20_000)
    assert opened.segment.vein_width.text() == "measured: 6.0 px"
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert opened.segment.vein_width.text() == "measured in the image"


def test_segmenting_other_layers_goes_on_while_the_folder_is_looked_through(
    opened, qtbot, stub, vein_image
):
    qtbot.waitUntil(lambda: 1 in opened.session.ahead, timeout=20_000)
    other = opened.viewer.add_image(vein_image, name="other")
    opened.viewer.layers.selection.active = other
    opened.segment.image.choose(other)
    stub.gate.clear()
    opened.segment.segment.click()
    press(opened, ".")
    assert opened.segment.job.running
    stub.gate.set()
    qtbot.waitUntil(lambda: not opened.segment.job.running)


@pytest.mark.parametrize("looked", [True, False])
def test_the_next_image_is_whole_after_a_doubt_and_as_near_as_before_without(opened, qtbot, looked):
    probability = np.zeros(opened.session.shown.pixels.shape, np.float32)
    probability[20:26, 20:60] = 0.45
    record_of(opened.session.shown.mask).probability = probability
    camera = opened.viewer.scene.camera
    whole = camera.zoom
    if looked:
        opened.correct.doubtful_places.next.click()
        qtbot.waitUntil(lambda: not opened.correct.doubtful_places.job.running)
    camera.zoom = near = 5 * whole
    press(opened, ".")
    wait_for_mask(opened, qtbot, 1)
    assert isinstance(opened.viewer.layers[0], Image)
    assert camera.zoom == pytest.approx(whole if looked else near)
