"""A folder, from the first look to a better model, through the workbench with real events."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_veinseg.correction.image_folder import ImageState
from napari_veinseg.data.images import read_mask, write_image
from napari_veinseg.data.sample_data import sample_stack
from napari_veinseg.model.file import read_card
from napari_veinseg.training import run as run_module
from napari_veinseg.widgets.masks.records import record_of
from napari_veinseg.widgets.workbench.recent import FOLDER_VARIABLE

LEFT = Qt.MouseButton.LeftButton


@pytest.mark.timeout(400)
def test_a_folder_is_segmented_reviewed_trained_on_and_segmented_by_the_new_model(
    make_napari_viewer, qtbot, tmp_path, monkeypatch
):
    monkeypatch.setattr(run_module, "runs_folder", lambda: tmp_path / "runs")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "config"))
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
    folder = tmp_path / "fingers"
    folder.mkdir()
    for number, image in enumerate(sample_stack().image[:3]):
        write_image(folder / f"finger{number}.tif", image)
    viewer = make_napari_viewer(show=True)
    _, bench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")
    canvas, session = viewer.window._qt_viewer.canvas.native, bench.session

    def arrived(index):
        there = session.shown is not None and session.shown.index == session.index == index
        return there and session.shown.mask is not None and not session.working

    bench.strip.menu.aboutToShow.emit()
    session.open(folder)  # what the menu's dialog calls
    for index in (0, 1):
        qtbot.waitUntil(lambda index=index: arrived(index), timeout=120_000)
        mask = session.shown.mask
        assert (mask.data == 1).any()
        mask.data_setitem(np.nonzero(mask.data == 1), 2)  # nothing is sure ...
        middle = np.zeros(mask.data.shape, bool)
        middle[middle.shape[0] // 2 - 2 : middle.shape[0] // 2 + 3, 20:200] = True
        mask.data_setitem(np.nonzero(middle), 1)  # ... but one vein
        QTest.keyClick(canvas, "r")
    qtbot.waitUntil(lambda: arrived(2) and not session.queue.busy, timeout=120_000)
    assert session.folder.count(ImageState.REVIEWED) == 2
    by_starter = record_of(session.shown.mask).model

    bar = bench.tabs.tabBar()
    QTest.mouseClick(bar, LEFT, pos=bar.tabRect(2).center())
    train = bench.train
    qtbot.waitUntil(lambda: "2 images" in train.dataset.summary.text(), timeout=60_000)
    train.minutes.setValue(0.1)
    train.name.setText("mine")
    QTest.mouseClick(train.start, LEFT)
    qtbot.waitUntil(lambda: not train.follower.running, timeout=240_000)
    assert train.follower.status.end["reason"] == "budget"
    qtbot.waitUntil(train.comparison.keep.isVisible, timeout=10_000)
    train.comparison.keep.click()  # 'Keep anyway' where six seconds made nothing better
    qtbot.waitUntil(lambda: "'mine' is kept" in train.status.text(), timeout=60_000)

    assert bench.segment.model.name == "mine"
    assert read_card(bench.segment.model.path).parent == "starter"
    by_mine = lambda: arrived(2) and record_of(session.shown.mask).model != by_starter  # noqa: E731
    qtbot.waitUntil(by_mine, timeout=120_000)
    assert record_of(session.shown.mask).model.startswith("mine ")
    qtbot.waitUntil(lambda: not session.queue.busy, timeout=20_000)
    kept = read_mask(folder.with_name("fingers_veins") / "drafts" / "masks" / "finger2.tif")
    np.testing.assert_array_equal(kept, session.shown.mask.data)
