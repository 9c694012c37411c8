"""The whole loop through the real widgets: segment, correct, add, retrain, keep, segment again."""

import napari
import numpy as np
import pytest
from napari.layers import Labels

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.model.file import read_card
from napari_veinseg.training import run as run_module
from napari_veinseg.widgets.masks.records import record_of


@pytest.mark.timeout(400)
def test_segment_correct_retrain_keep_segment(make_napari_viewer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "runs_folder", lambda: tmp_path / "runs")
    viewer = make_napari_viewer()
    viewer.open_sample("napari-veinseg", "finger")
    for layer in [layer for layer in viewer.layers if isinstance(layer, Labels)]:
        viewer.layers.remove(layer)
    _, workbench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")
    segment, train = workbench.segment, workbench.train
    segment.update_mask.setChecked(False)
    segment.segment.click()
    qtbot.waitUntil(lambda: not segment.job.running, timeout=120_000)
    (mask,) = (layer for layer in viewer.layers if isinstance(layer, Labels))

    mask.data_setitem(np.nonzero(mask.data == 1), 2)  # nothing is sure ...
    vein = np.zeros(mask.data.shape, bool)
    vein[vein.shape[0] // 2 - 2 : vein.shape[0] // 2 + 3, 20:200] = True
    mask.data_setitem(np.nonzero(vein), 1)  # ... but one vein
    Dataset.create(tmp_path / "set")
    train.dataset.folder.setText(str(tmp_path / "set"))
    train.dataset.add_layers.click()
    qtbot.waitUntil(lambda: "vein pixels" in train.dataset.summary.text(), timeout=60_000)

    train.minutes.setValue(0.1)
    train.name.setText("mine")
    train.start.click()
    qtbot.waitUntil(lambda: not train.follower.running, timeout=240_000)
    assert train.follower.status.end["reason"] == "budget"
    assert train.follower.status.losses
    train.outcome.keep.click()
    qtbot.waitUntil(lambda: "is kept" in train.status.text(), timeout=60_000)

    assert segment.model.name == "mine"
    assert read_card(segment.model.path).parent == "starter"
    segment.segment.click()
    qtbot.waitUntil(lambda: not segment.job.running, timeout=120_000)
    masks = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert len(masks) == 2
    assert record_of(masks[-1]).probability is not None
    assert isinstance(viewer, napari.Viewer)
