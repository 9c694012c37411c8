"""A folder, from the first look to a better model, by nothing but clicks and keys."""

import os
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.model.file import read_card
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.workbench.recent_folders import FOLDER_VARIABLE
from tests.widgets.workbench.person import Person

SHAPE = (160, 320)
REVIEWED = 5


@pytest.fixture
def truths(tmp_path) -> list[np.ndarray]:
    """Six fingers in a folder, and where their veins are."""
    folder = tmp_path / "fingers"
    folder.mkdir()
    fingers = [synthetic_finger(9_000_000 + number, SHAPE) for number in range(REVIEWED + 1)]
    for number, finger in enumerate(fingers):
        write_image(folder / f"finger{number}.tif", finger.image)
    return [finger.mask for finger in fingers]


@pytest.fixture
def person(make_napari_viewer, qtbot, tmp_path, monkeypatch) -> Person:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "config"))
    monkeypatch.setenv("VEINSEG_AUTOSAVE_DIR", str(tmp_path / "autosave"))
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1300, 800)
    _, bench = viewer.window.add_plugin_dock_widget("napari-veinseg", "Segment")
    return Person(bench, lambda holds: qtbot.waitUntil(holds, timeout=240_000))


@pytest.mark.timeout(600)
def test_a_folder_is_reviewed_trained_on_and_segmented_by_the_new_model(
    person, truths, tmp_path, qtbot
):
    folder, bench = tmp_path / "fingers", person.bench
    session = bench.session
    person.open_folder(folder)
    for index in range(REVIEWED):
        person.wait_for_image(index)
        before = session.shown.mask.data.copy()
        person.correct(truths[index])
        now = session.shown.mask.data
        assert ((now == 1) & (before != 1)).any()  # drawn ...
        assert ((now != 1) & (before == 1)).any()  # ... and removed
        person.key("r")
    person.wait_for_image(REVIEWED)
    qtbot.waitUntil(lambda: not session.queue.busy, timeout=60_000)
    assert session.folder.count(ImageState.REVIEWED) == REVIEWED
    by_starter = record_of(session.shown.mask).notes.model

    person.show_tab("Train")
    train = bench.train
    train.minutes.setValue(0.1)  # a test's patience
    qtbot.waitUntil(lambda: "5 images" in train.dataset.summary.text(), timeout=60_000)
    person.press(train.start)
    qtbot.waitUntil(lambda: not train.follower.running, timeout=240_000)
    assert train.follower.status.end["reason"] == "budget"
    qtbot.waitUntil(train.comparison.keep.isVisible, timeout=10_000)
    person.press(train.comparison.keep)  # 'Keep anyway' where six seconds made nothing better
    qtbot.waitUntil(lambda: bench.segment.model.name != "starter", timeout=60_000)

    name = bench.segment.model.name
    assert read_card(bench.segment.model.path).parent == "starter"
    person.wait_for_image(REVIEWED)
    by_new = lambda: record_of(session.shown.mask).notes.model not in ("", by_starter)  # noqa: E731
    qtbot.waitUntil(by_new, timeout=120_000)
    assert record_of(session.shown.mask).notes.model.startswith(f"{name} ")
    qtbot.waitUntil(lambda: not session.queue.busy, timeout=20_000)
    kept = read_mask(folder.with_name("fingers_veins") / "drafts" / "masks" / "finger5.tif")
    np.testing.assert_array_equal(kept, session.shown.mask.data)
    assert person.paths == 1  # chosen once, and nothing was typed
    assert person.actions <= 61  # half of the docks before: benchmarks/workbench.py


@pytest.mark.timeout(600)
def test_it_learns_beside_the_person_and_leaves_nothing_running(person, truths, tmp_path, qtbot):
    bench, learning = person.bench, person.bench.learning
    person.open_folder(tmp_path / "fingers")
    person.wait_for_image(0)
    person.press(bench.status.beside.switch)
    for index in range(3):
        person.wait_for_image(index)
        person.correct(truths[index])
        person.key("r")
    learned = lambda: bool(learning.known) and learning.known.status.pool > 0  # noqa: E731
    qtbot.waitUntil(learned, timeout=240_000)
    assert learning.known.status.arrivals[0].stem == "finger0"
    assert len(learning.errors_on_arrival()) >= 2
    child, run = learning.follower._process, learning.known.run
    bench.viewer.close()
    assert child.wait(60)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
    assert run.state.exists()  # what was learned is kept
    reviewed = [each for each in Dataset.open(Path(run.config.dataset)) if each.reviewed]
    assert len(reviewed) == 3
