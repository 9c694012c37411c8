"""From a row of Evaluate's results to the image in the folder, with its mask in work."""

import numpy as np
import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton

from napari_veinseg.widgets.evaluate.evaluate_work import OpenedImage
from napari_veinseg.widgets.masks.error_layer import is_agreement_layer
from tests.widgets.workbench.conftest import pair, press, wait_for_mask


def test_a_row_leads_to_its_image_and_hides_no_other(opened, qtbot, vein_image):
    truth = np.zeros(vein_image.shape, np.uint8)
    truth[30:36] = 1
    row = OpenedImage(pair("b", vein_image, truth), "starter", truth)
    stranger = OpenedImage(pair("elsewhere", vein_image, truth), "starter", truth)
    layers = list(opened.viewer.layers)
    opened.tabs.show_tab("Evaluate")
    judge = opened.evaluate.on_dataset
    judge.results.show()

    judge._show_image(stranger)
    assert not judge.correct.isVisible(), "the folder does not hold it"
    judge._show_image(row)
    assert judge.correct.isVisible()
    qtbot.waitUntil(lambda: any(map(is_agreement_layer, opened.viewer.layers)))
    assert [layer.name.split()[0] for layer in opened.viewer.layers[2:]] == ["b"] * 4
    judge.correct.click()
    wait_for_mask(opened, qtbot, 1)
    assert opened.tabs.currentWidget() is opened.correct
    qtbot.waitUntil(lambda: list(opened.viewer.layers) == layers)

    judge._show_image(row)
    qtbot.waitUntil(lambda: any(map(is_agreement_layer, opened.viewer.layers)))
    press(opened, ".")
    assert opened.session.index == 1, "it leads back first"
    assert [layer for layer in opened.viewer.layers if layer.visible] == layers
    press(opened, ".")
    wait_for_mask(opened, qtbot, 2)
    shown = opened.session.shown  # its mask is a new layer where it was not ready before
    in_sight = [layer for layer in opened.viewer.layers if layer.visible]
    assert in_sight == [shown.image, shown.mask], "nothing hides the next image"
    qtbot.waitUntil(lambda: list(opened.viewer.layers) == in_sight)


@pytest.mark.parametrize("way", ["button", "tab"])
def test_the_keyboard_comes_to_no_button_of_the_next_tab(opened, qtbot, vein_image, way):
    window = opened.viewer.window._qt_window
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    truth = np.zeros(vein_image.shape, np.uint8)
    opened.tabs.show_tab("Evaluate")
    judge = opened.evaluate.on_dataset
    judge.results.show()
    judge._show_image(OpenedImage(pair("b", vein_image, truth), "starter", truth))
    judge.correct.setFocus()
    assert window.focusWidget() is judge.correct
    if way == "button":
        QTest.keyClick(judge.correct, " ")
        wait_for_mask(opened, qtbot, 1)
        canvas = opened.viewer.window._qt_viewer.canvas.native
        qtbot.waitUntil(lambda: window.focusWidget() is canvas)
    else:
        opened.tabs.setCurrentWidget(opened.correct)
    assert opened.tabs.currentWidget() is opened.correct
    qtbot.wait(50)
    QTest.keyClick(window.focusWidget(), " ")
    qtbot.wait(50)
    assert not isinstance(window.focusWidget(), QAbstractButton)
    assert not opened.correct.work.job.running
    assert not opened.session.shown.mask._undo_history
