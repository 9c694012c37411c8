"""Round after round in one viewer: memory, threads, child processes and handles stay flat."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.model.store import STARTER
from napari_veinseg.training.events import RunStatus
from napari_veinseg.training.train import configure, go_on, start
from napari_veinseg.widgets.correct.correct import CorrectWidget
from napari_veinseg.widgets.evaluate.evaluate import EvaluateWidget
from napari_veinseg.widgets.segment.segment import SegmentWidget
from napari_veinseg.widgets.train import run_follower
from napari_veinseg.widgets.train.run_follower import RunFollower
from tests.faults.conftest import SHARE, times
from tests.faults.flat import Watch

PLOT = Path(__file__).parents[2] / "docs" / "images" / "reliability.png"
MOST_THREADS = 6  # those of Qt's pool come and go; a leak would be one a round
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["napari_veinseg.training.loop"])


def correct(viewer, image, number):
    """Paint on the topmost mask, take it back, paint again."""
    mask = next(layer for layer in reversed(viewer.layers) if isinstance(layer, Labels))
    before = mask.data.copy()
    row = number % (image.shape[0] - 10) + 5
    mask.paint((row, 10), 1)
    mask.paint((row, 20), 2)
    mask.undo()
    mask.undo()
    np.testing.assert_array_equal(mask.data, before)
    mask.paint((row, 20), 1)
    return mask


@pytest.mark.timeout(7200)
def test_segment_correct_undo(viewer, segment, press, told, vein_image, tally):
    rounds = times(12, 200)
    image = viewer.add_image(vein_image)
    corrects = CorrectWidget(viewer)
    viewer.window.add_dock_widget(corrects, name="Correct")
    watch, slowest = Watch(), (0.0, 0.0)
    for number in range(rounds):
        wall, busy = time.perf_counter(), time.process_time()
        viewer.layers.selection.active = image
        press(segment)
        mask = correct(viewer, vein_image, number)
        corrects.autosaver.save()
        viewer.layers.remove(mask)
        del mask
        slowest = max(slowest, (time.perf_counter() - wall, time.process_time() - busy))
        if number % 3 == 2:
            watch.look(number + 1)
    corrects.closing.emit()
    tally("rounds of segment, correct, undo", rounds)
    tally("MB grown in them", round(watch.grown("megabytes"), 1))
    tally("threads grown in them", watch.grown("threads"))
    tally("s of the slowest of them", round(slowest[0], 2))
    tally("s of computing in that one", round(slowest[1], 2))
    assert watch.grown("megabytes") < 25
    assert watch.grown("threads") <= MOST_THREADS
    assert told.texts == []


class ForkedTraining:
    """A `TrainingProcess` that needs no second import of torch."""

    def __init__(self, run):
        self.run = run
        self._child = FORKS.Process(target=go_on, args=(run,))
        self._child.start()

    @property
    def running(self):
        return self._child.is_alive()

    @property
    def exit_code(self):
        return self._child.exitcode

    def stop(self):
        self.run.request_stop()

    def wait(self, seconds):
        self._child.join(seconds)
        return not self._child.is_alive()

    def last_words(self):
        return ""


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_segment_correct_retrain_evaluate(
    viewer, qtbot, told, tmp_path, monkeypatch, tally
):  # fmt: skip
    rounds, plot = times(4, 200), PLOT if SHARE else tmp_path / "flat.png"
    monkeypatch.setattr(run_follower, "TrainingProcess", ForkedTraining)
    folder = tmp_path / "set"
    dataset = Dataset.create(folder)
    for number in range(3):
        finger = synthetic_finger(number, (60, 90))
        dataset.add(f"f{number}", finger.image, finger.mask, finger=f"f{number}")
    segments, corrects = SegmentWidget(viewer), CorrectWidget(viewer)
    judges, follower = EvaluateWidget(viewer), None
    for name, widget in (("Segment", segments), ("Correct", corrects), ("Evaluate", judges)):
        viewer.window.add_dock_widget(widget, name=name)
    follower = RunFollower(segments, RunStatus())
    corrects.reviewing.folder.setText(str(folder))
    judges.on_dataset.dataset.setText(str(folder))
    judges.on_dataset.models.item(0).setCheckState(Qt.CheckState.Checked)
    pixels = synthetic_finger(9, (60, 90)).image
    image = viewer.add_image(pixels, name="open")
    watch = Watch()

    def wait(still) -> None:
        qtbot.waitUntil(lambda: not still(), timeout=600_000)

    for number in range(rounds):
        viewer.layers.selection.active = image
        segments.segment.click()
        wait(lambda: segments.job.running)
        mask = correct(viewer, pixels, number)
        corrects.reviewing.reviewed.click()
        how = {"crop": 32, "batch_size": 1, "steps_per_epoch": 1, "device": "cpu"}
        config = configure(folder, base=STARTER, epochs=1, **how)
        follower.start(start(tmp_path / f"run{number}", config), RunStatus())
        wait(lambda: follower.running)
        assert follower.status.end["reason"] == "budget"
        follower.run.remove()
        judges.on_dataset.evaluate.click()
        wait(lambda: judges.on_dataset.job.running)
        viewer.layers.remove(mask)
        del mask
        if number % 2:
            watch.look(number + 1)
            watch.plot(plot)
    for widget in (corrects, judges, segments):
        widget.closing.emit()
    tally("rounds of segment, correct, retrain, evaluate", watch.rounds[-1])
    for name in ("megabytes", "threads", "children", "handles"):
        tally(f"{name} grown in them", round(watch.grown(name), 1))
    assert len(Dataset.open(folder)) == 4
    assert [text for text in told.texts if "rror" in text] == []
    assert watch.grown("megabytes") < 60
    assert watch.grown("children") <= 0
    assert max(watch.grown("threads"), watch.grown("handles")) <= MOST_THREADS
