"""The Train widget, with a child that costs nothing; the whole loop is in `test_loop.py`."""

import threading
from typing import ClassVar

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt, QThreadPool
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton, QWidget

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_source import corrected_source
from napari_veinseg.training import run_folder as run_module
from napari_veinseg.widgets.common.jobs import Job
from napari_veinseg.widgets.masks.layers import add_mask_layer
from napari_veinseg.widgets.train import run_follower
from napari_veinseg.widgets.train.train import TrainWidget


class StubChild:
    """Stands for the child process: ends when told to."""

    made: ClassVar[list] = []

    loading = False  # a child that has not got to its start yet

    def __init__(self, run):
        self.run, self.exit_code, self.stopped = run, None, False
        StubChild.made.append(self)
        if StubChild.loading:
            return
        run.tell(
            {"event": "start", "seconds": 0, "device": "CPU", "reason": "a test",
             "train": {"images": 2, "fingers": 0, "vein_pixels": 9},
             "validation": {"images": 1, "fingers": 0}, "optimistic": True, "faults": []}
        )  # fmt: skip

    running = property(lambda self: self.exit_code is None)

    def learn(self, epochs, scores):
        for epoch in range(epochs + 1):
            if epoch:
                self.run.tell(
                    {"event": "epoch", "epoch": epoch, "step": epoch, "loss": 1 / epoch,
                     "progress": epoch / epochs, "seconds_left": 3.0, "seconds": 1.0}
                )  # fmt: skip
            mean = float(np.mean(list(scores[epoch].values())))
            self.run.tell(
                {"event": "validation", "epoch": epoch, "vein_iou": mean,
                 "per_image": scores[epoch], "seconds": 1.0}
            )  # fmt: skip

    def end(self, code=0, reason="budget", text="The budget is used up."):
        self.run.tell({"event": "end", "reason": reason, "text": text, "seconds": 2.0})
        self.save()
        self.exit_code = code

    def save(self):
        """Write what the real one writes, in its order."""
        self.run.last.write_bytes(b"a model")
        self.run.state.touch()

    def stop(self):
        self.stopped = True
        if StubChild.loading:
            self.exit_code = 143
            return
        self.end(reason="stopped", text="Stopped on request.")

    def wait(self, seconds):
        return True

    def last_words(self):
        return "out of memory"


@pytest.fixture
def train(viewer, stub, monkeypatch, tmp_path):
    StubChild.made = []
    monkeypatch.setattr(run_follower, "TrainingProcess", StubChild)
    monkeypatch.setattr(run_module, "runs_folder", lambda: tmp_path / "runs")
    models = tmp_path / "models"
    models.mkdir()
    (models / "base.safetensors").touch()
    widget = TrainWidget(viewer)
    widget.base.choose("base")
    viewer.window.add_dock_widget(widget, name="Train")
    return widget


@pytest.fixture
def dataset(tmp_path):
    made = Dataset.create(tmp_path / "set")
    for number, stem in enumerate(("a_1", "a_2", "b_1")):
        image, mask = layer_data(number)
        made.add(stem, image, mask)
    return made


def layer_data(seed=0):
    image = np.random.default_rng(seed).integers(100, 200, (40, 60), np.uint8)
    mask = np.zeros((40, 60), np.uint8)
    mask[18:22] = 1
    return image, mask


@pytest.fixture
def started(train, dataset, qtbot):
    train.dataset.folder.setText(str(dataset.path))
    train.dataset._survey()
    qtbot.waitUntil(lambda: not train.job.running)
    train.start.click()
    assert train.follower.running
    return train


def blue(train):
    """Names of the buttons that stand out."""
    return [
        each.text().replace("&", "")
        for each in train.findChildren(QPushButton)
        if each.property("role") == "primary"
    ]


def told_by(comparison):
    parts = comparison.headline, comparison.advice, comparison.details.said
    return "\n".join(each.text() for each in parts)


def test_it_says_what_will_be_trained_on_and_suggests_a_pattern(train, dataset, qtbot):
    before = {path: path.stat().st_mtime_ns for path in dataset.path.rglob("*")}
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.folder.editingFinished.emit()
    qtbot.waitUntil(lambda: "vein pixels" in train.dataset.summary.text())
    assert "3 images, 720 vein pixels. Trains on 2, is judged on 1." in train.dataset.summary.text()
    assert "may be too good" in train.dataset.summary.text()
    assert train.dataset.names.finger_pattern() is None  # suggested, not applied
    train.dataset.names.by_name.setChecked(True)
    qtbot.waitUntil(lambda: "of 2 subjects" in train.dataset.summary.text())
    assert {path: path.stat().st_mtime_ns for path in dataset.path.rglob("*")} == before


def test_a_tick_before_the_folder_counts(train, dataset, qtbot):
    train.dataset.names.by_name.setChecked(True)
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.folder.editingFinished.emit()
    qtbot.waitUntil(lambda: "of 2 subjects" in train.dataset.summary.text())


def test_open_layers_become_samples(train, viewer, qtbot, monkeypatch, tmp_path):
    image, mask = layer_data()
    stack = np.stack([image, image + 1, image + 2])
    masks = np.stack([mask, 0 * mask, mask])
    add_mask_layer(viewer, mask, viewer.add_image(image, name="left index: 1"))
    add_mask_layer(viewer, masks, viewer.add_image(stack, name="stack"))
    viewer.add_image(image, name="without a mask")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "new"))
    train.dataset.add_layers.click()
    qtbot.waitUntil(lambda: "vein pixels" in train.dataset.summary.text())
    added = Dataset.open(tmp_path / "new")
    assert [sample.stem for sample in added] == ["left index_ 1", "stack_0000", "stack_0002"]
    np.testing.assert_array_equal(added["stack_0002"].image(), stack[2])
    np.testing.assert_array_equal(added["stack_0002"].mask(), masks[2])
    # Again after more painting: replaced, not doubled; another image of that name gets a number.
    viewer.layers["left index: 1 veins"].data[0] = 1
    viewer.layers["stack"].data[0, 0, 0] ^= 1
    train.dataset.add_layers.click()
    qtbot.waitUntil(lambda: not train.job.running)
    added = Dataset.open(tmp_path / "new")
    assert len(added) == 4
    assert (added["left index_ 1"].mask()[0] == 1).all()
    assert "stack_0000 (2)" in added


def test_a_mask_of_255_is_learned_from_and_other_labels_are_refused(
    train, dataset, viewer, qtbot, told
):
    image, mask = layer_data(7)
    layer = add_mask_layer(viewer, mask * 255, viewer.add_image(image, name="new"))
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.add_layers.click()
    qtbot.waitUntil(lambda: "4 images" in train.dataset.summary.text())
    np.testing.assert_array_equal(Dataset.open(dataset.path)["new"].mask(), mask)
    layer.data = mask * 7
    train.dataset.add_layers.click()
    assert "holds labels other than" in told.texts[-1]


def test_open_layers_go_into_a_dataset_that_is_only_chosen_then(
    train, dataset, viewer, qtbot, monkeypatch
):
    image, mask = layer_data()
    add_mask_layer(viewer, mask, viewer.add_image(image, name="new"))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(dataset.path))
    train.dataset.add_layers.click()
    qtbot.waitUntil(lambda: "4 images" in train.dataset.summary.text())
    assert "new" in Dataset.open(dataset.path)


def test_open_layers_are_added_also_where_the_viewer_closes_before_a_thread_is_free(
    train, viewer, qtbot, tmp_path
):
    image, mask = layer_data()
    add_mask_layer(viewer, mask, viewer.add_image(image, name="new"))
    train.dataset.folder.setText(str(tmp_path / "new"))
    gate, others = threading.Event(), QWidget()
    qtbot.addWidget(others)
    for _ in range(QThreadPool.globalInstance().maxThreadCount()):
        Job("Waiting", others).start(lambda _reporter: gate.wait(20), done=print)
    train.dataset.add_layers.click()
    train.closing.emit()
    gate.set()
    qtbot.waitUntil(lambda: (tmp_path / "new" / "samples.csv").exists())
    QThreadPool.globalInstance().waitForDone(20_000)
    assert "new" in Dataset.open(tmp_path / "new")


def test_a_tick_while_the_dataset_is_read_counts(train, dataset, qtbot):
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.folder.editingFinished.emit()
    train.dataset.names.by_name.setChecked(True)
    assert train.job.running
    qtbot.waitUntil(lambda: "of 2 subjects" in train.dataset.summary.text())


def test_a_run_is_followed_compared_and_kept(started, qtbot, monkeypatch):
    (child,) = StubChild.made
    assert not started.start.isEnabled()
    assert started.stop.isEnabled()
    child.learn(2, [{"b_1": 0.4}, {"b_1": 0.6}, {"b_1": 0.5}])
    qtbot.waitUntil(lambda: "3 s left" in started.status.text())
    assert "CPU: a test" in started.status.text()
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert started.comparison.isVisibleTo(started)
    row = [started.comparison.table.item(0, column).text() for column in range(3)]
    assert row == ["b_1", "0.400", "0.600"]
    assert "better on the only image" in told_by(started.comparison)
    assert "may be too good" in told_by(started.comparison)

    from napari_veinseg.widgets.common import model_choice as module
    from napari_veinseg.widgets.common.model_choice import ModelChoice

    other = ModelChoice()
    qtbot.addWidget(other)

    def install(path, name):
        target = run_module.Path(path).parents[2] / "models" / f"{name}.safetensors"
        target.touch()
        return type("Installed", (), {"name": name})

    monkeypatch.setattr(module, "import_model", install)
    started.name.setText("better")
    started.comparison.keep.click()
    qtbot.waitUntil(lambda: "'better' is kept" in started.status.text())
    assert other.name == started.base.name == "better"
    assert "Kept as 'better'" in started.comparison.headline.text()
    assert started.comparison.table.isVisibleTo(started), "the figures stay in sight"
    assert not started.comparison.keep.isVisibleTo(started)


@pytest.mark.parametrize("scores", [[{"b_1": 0.4}, {"b_1": 0.6}], [{"b_1": 0.6}, {"b_1": 0.5}], []])
def test_both_masks_are_shown_one_over_the_other(started, viewer, stub, qtbot, scores):
    (child,) = StubChild.made
    if scores:
        child.learn(1, scores)
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    look = started.comparison
    QTest.mouseClick(look.look, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: look.masks.isVisibleTo(started), timeout=20_000)
    assert stub.calls == 2
    stem = "b_1" if scores else "a_1"
    qtbot.waitUntil(lambda: f"{stem} new model" in viewer.layers)
    old, new = (viewer.layers[f"{stem} {name}"] for name in ("base", "new model"))
    assert (old.visible, new.visible) == (False, True)
    QTest.mouseClick(look.masks.old, Qt.MouseButton.LeftButton)
    assert (old.visible, new.visible) == (True, False)
    QTest.mouseClick(look.masks.new, Qt.MouseButton.LeftButton)
    assert (old.visible, new.visible) == (False, True)
    look.discard.click()
    assert not any(layer.visible for layer in viewer.layers)
    qtbot.waitUntil(lambda: not viewer.layers)


def test_a_truth_that_was_painted_on_outlasts_the_look_at_both_masks(started, viewer, stub, qtbot):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    look = started.comparison
    QTest.mouseClick(look.look, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: look.masks.isVisibleTo(started), timeout=20_000)
    qtbot.waitUntil(lambda: "b_1 new model" in viewer.layers)
    viewer.layers["b_1 truth"].paint((5, 5), 1)
    look.discard.click()
    qtbot.wait(200)
    assert "b_1 truth" in viewer.layers


def test_a_run_without_a_hold_out_says_why_and_draws_no_empty_curve(started, qtbot):
    why = "base was trained on the only held-out image: it is left out of its figures."
    (child,) = StubChild.made
    qtbot.waitUntil(lambda: bool(started.follower.status.start))
    start = {**started.follower.status.start, "event": "start", "caveats": [why]}
    holdout = {"images": 0, "fingers": 0, "seen": 1}
    child.run.tell(start | {"validation": holdout, "faults": ["No mask."] * 9})
    qtbot.waitUntil(lambda: why in started.status.text())  # before the time is spent
    height = started.curves.sizeHint().height()
    child.run.tell(
        {"event": "epoch", "epoch": 1, "step": 1, "loss": 1.0, "progress": 1.0,
         "seconds_left": 0.0, "seconds": 1.0}
    )  # fmt: skip
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    verdict = told_by(started.comparison)
    assert "held-out images were learned from before" in started.comparison.headline.text()
    assert "Details, 5 caveats" in started.comparison.details.heading.text()
    assert why in verdict
    assert verdict.count("No mask.") == 3
    assert "6 more" in verdict
    assert started.curves.sizeHint().height() == height < 200
    assert "look at old and new" in started.status.text()


def test_the_result_is_scrolled_into_sight(started, viewer, qtbot):
    viewer.window._qt_window.resize(1024, 600)
    viewer.show()
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    in_sight = lambda: not started.comparison.keep.visibleRegion().isEmpty()  # noqa: E731
    qtbot.waitUntil(in_sight, timeout=5000)


def test_the_verdict_is_one_line_above_the_table_and_its_caveats_unfold(started, qtbot):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    told = started.comparison
    assert told.headline.text() == (
        "The new model is better: vein IoU 0.40 → 0.60, higher on the only image."
    )
    assert told.details.heading.text() == "Details, 1 caveat"
    assert not told.details.said.isVisibleTo(started)
    told.details.heading.click()
    assert told.details.said.isVisibleTo(started)
    assert "may be too good" in told.details.said.text()


def test_start_and_stop_are_in_sight_however_low_the_screen(train, viewer, qtbot):
    viewer.window._qt_window.resize(1024, 500)
    viewer.show()
    for each in (train.start, train.stop):
        qtbot.waitUntil(lambda each=each: each.visibleRegion().boundingRect() == each.rect())


@pytest.mark.parametrize(("new", "stands_out"), [(0.6, "Keep"), (0.3, "Start")])
@pytest.mark.parametrize("answer", ["keep", "discard"])
def test_what_is_pressed_next_stands_out(started, qtbot, monkeypatch, new, stands_out, answer):
    from napari_veinseg.widgets.train import train as module

    (child,) = StubChild.made
    child.learn(2, [{"b_1": 0.4}, {"b_1": new}, {"b_1": new}])
    assert blue(started) == ["Start"]
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert blue(started) == [stands_out]
    monkeypatch.setattr(module, "install_model", lambda _file, name, _reporter: name)
    getattr(started.comparison, answer).click()
    qtbot.waitUntil(lambda: blue(started) == ["Start"])


@pytest.mark.parametrize(
    ("scores", "how", "stands_out"),
    [
        ([], "time is up", "Show both masks"),  # nothing was held out
        ([{"b_1": 1.0}, {"b_1": 0.6}], "time is up", "Show both masks"),  # uncorrected masks
        ([], "stopped", "Resume"),
        ([{"b_1": 0.4}, {"b_1": 0.3}], "stopped", "Resume"),
        ([{"b_1": 0.4}, {"b_1": 0.6}], "stopped", "Keep"),
        ([{"b_1": 0.4}, {"b_1": 0.6}], "killed", "Resume"),
        ([], "killed", "Resume"),
    ],
)
def test_a_model_is_not_to_be_kept_next_before_it_is_judged(
    started, qtbot, scores, how, stands_out
):
    (child,) = StubChild.made
    if scores:
        child.learn(1, scores)
    if how == "stopped":
        started.stop.click()
    elif how == "killed":
        child.save()
        child.exit_code = -9
    else:
        child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert blue(started) == [stands_out]
    assert started.comparison.keep.isEnabled()
    assert started.buttons.resume.isVisibleTo(started) == (how != "time is up")


def test_both_masks_once_seen_are_no_next_step(started, viewer, stub, qtbot):
    (child,) = StubChild.made
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    started.comparison.look.click()
    qtbot.waitUntil(lambda: started.comparison.masks.isVisibleTo(started), timeout=20_000)
    assert blue(started) == []


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_resume_goes_on_with_the_same_run(started, qtbot, end):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.5}])
    child.save()
    if end == "stop":
        started.stop.click()
    else:
        child.exit_code = -9
    qtbot.waitUntil(lambda: not started.follower.running)
    assert str(child.run.path) in started.buttons.resume.toolTip()
    assert "Resume goes on" in started.status.text()
    QTest.mouseClick(started.buttons.resume, Qt.MouseButton.LeftButton)
    assert started.follower.running
    again = StubChild.made[-1]
    assert again is not child
    assert again.run.path == child.run.path
    assert not started.trouble.text, "it is tried again"
    assert not started.buttons.resume.isVisibleTo(started)
    assert not started.comparison.isVisibleTo(started)
    assert set(started.follower.status.losses) == {1}, "the curve goes on where it was"
    qtbot.waitUntil(lambda: started.status.text().startswith("Training,"))
    assert " left" not in started.status.text(), "nobody knows before its next epoch"
    again.learn(2, [{"b_1": 0.4}, {"b_1": 0.5}, {"b_1": 0.7}])
    again.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert "vein IoU 0.40 → 0.70" in started.comparison.headline.text()
    assert blue(started) == ["Keep"]
    assert not started.buttons.resume.isVisibleTo(started), "its time is up"


def test_a_resumed_run_that_ends_before_it_begins_tells_nothing_of_its_last_end(
    started, qtbot, told, monkeypatch
):
    (child,) = StubChild.made
    child.end(code=1, reason="failed", text="The disk was full.")
    qtbot.waitUntil(lambda: not started.follower.running)
    assert started.trouble.text == "The disk was full."
    monkeypatch.setattr(StubChild, "loading", True)
    for stops in (True, False):
        started.buttons.resume.click()
        if stops:
            started.stop.click()
        else:
            StubChild.made[-1].exit_code = 1
        qtbot.waitUntil(lambda: not started.follower.running)
        assert ("out of memory" in started.trouble.text) is not stops
        assert "disk was full" not in started.trouble.text
        assert started.buttons.resume.isVisibleTo(started), "what it learned is still there"


def test_discard_ends_what_could_go_on(started, qtbot):
    started.stop.click()
    qtbot.waitUntil(lambda: not started.follower.running)
    started.comparison.discard.click()
    assert not started.buttons.resume.isVisibleTo(started)


def test_the_keyboard_stays_with_the_run(train, dataset, viewer, qtbot):
    viewer.show()
    viewer.window._qt_window.activateWindow()
    assert QTest.qWaitForWindowActive(viewer.window._qt_window)
    train.dataset.folder.setText(str(dataset.path))
    train.dataset._survey()
    qtbot.waitUntil(train.start.isEnabled)
    train.start.setFocus()
    train.start.click()
    has_keyboard = lambda each: viewer.window._qt_window.focusWidget() is each  # noqa: E731
    qtbot.waitUntil(lambda: has_keyboard(train.stop))
    train.stop.click()
    qtbot.waitUntil(lambda: not train.follower.running)
    qtbot.waitUntil(lambda: has_keyboard(train.start))


def test_masks_that_the_old_model_drew_are_told(started, dataset, qtbot):
    sample = Dataset.open(dataset.path)["b_1"]
    Dataset.open(dataset.path).add(
        "b_1", sample.image(), sample.mask(), replace=True, source=corrected_source("base")
    )
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert "The only true mask was corrected from a mask of 'base'" in told_by(started.comparison)


def test_a_run_that_was_stopped_early_says_whose_point_is_in_the_plot(started, qtbot):
    (child,) = StubChild.made
    child.learn(0, [{"b_1": 0.4}])
    child.end(reason="stopped", text="Stopped on request.")
    qtbot.waitUntil(lambda: not started.follower.running)
    assert started.comparison.headline.text() == (
        "Not judged: it was stopped before the new model was tried on the held-out images; the "
        "point in the plot is the old model."
    )


def test_masks_that_nobody_corrected_judge_nothing(started, qtbot):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 1.0}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    said = told_by(started.comparison)
    assert "says nothing about the new model" in said
    assert "more images like" not in said
    assert "train for longer" not in said


def test_the_new_model_is_kept_after_the_dataset_has_been_read(started, qtbot):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert started.comparison.keep.isEnabled()
    started.dataset._survey()
    assert not started.comparison.keep.isEnabled()
    qtbot.waitUntil(lambda: started.comparison.keep.isEnabled())


def test_a_dataset_that_grew_during_a_training_is_described_when_that_has_ended(
    started, dataset, qtbot
):
    dataset.add("c_1", *layer_data(3))
    started.dataset.refresh()  # as when the tab is shown again
    assert "3 images" in started.dataset.summary.text()
    StubChild.made[0].end()
    qtbot.waitUntil(lambda: "4 images" in started.dataset.summary.text())


def test_the_verdict_names_the_model_that_the_run_started_from(started, qtbot, tmp_path):
    (tmp_path / "models" / "other.safetensors").touch()
    started.base.refresh()
    started.base.choose("other")
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert "base" in told_by(started.comparison)
    assert "other" not in told_by(started.comparison)


def test_what_is_no_better_is_kept_only_on_purpose(started, qtbot):
    (child,) = StubChild.made
    child.learn(2, [{"b_1": 0.6}, {"b_1": 0.5}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert "The old model is the better one" in started.comparison.headline.text()
    assert "more images like b_1" in told_by(started.comparison)
    assert started.comparison.keep.text() == "Keep anyway"
    assert started.comparison.discard.isEnabled()


def test_a_start_that_is_refused_leaves_the_model_of_before_to_be_kept(
    started, dataset, qtbot, told, tmp_path
):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.6}, {"b_1": 0.5}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    dataset.path.rename(tmp_path / "away")
    started.start.click()
    assert len(told.texts) == 1
    assert started.comparison.isVisibleTo(started)
    assert started.comparison.keep.isEnabled()
    assert not started.comparison.foot.isHidden()


def test_stop_and_discard(started, qtbot):
    started.stop.click()
    qtbot.waitUntil(lambda: not started.follower.running)
    assert StubChild.made[0].stopped
    assert "Stopped" in started.status.text()
    assert "stopped before the new model was tried on the held-out images" in told_by(
        started.comparison
    )
    folder = started.follower.run.path
    started.comparison.discard.click()
    assert not folder.exists()
    assert not started.comparison.isVisibleTo(started)
    assert started.start.isEnabled()


def test_that_it_is_stopping_is_said_until_it_has_stopped(started, qtbot, monkeypatch):
    child = StubChild.made[0]
    monkeypatch.setattr(StubChild, "stop", lambda self: None)
    started.stop.click()
    assert started.status.text() == "Stopping…"
    with qtbot.waitSignal(started.follower.changed):
        child.learn(1, [{"a": 0.5}, {"a": 0.6}])
    assert started.status.text() == "Stopping…"
    child.end(reason="stopped", text="Stopped on request.")
    qtbot.waitUntil(lambda: not started.follower.running)
    assert "Stopped" in started.status.text()


def test_stopped_while_it_loads_there_is_no_trouble_and_nothing_left(
    train, dataset, qtbot, told, monkeypatch
):
    monkeypatch.setattr(StubChild, "loading", True)
    train.dataset.folder.setText(str(dataset.path))
    train.start.click()
    train.stop.click()
    qtbot.waitUntil(lambda: not train.follower.running)
    assert told.texts == []
    assert train.status.text() == "Stopped before the first step."
    assert not train.follower.run.path.exists()
    assert not train.comparison.isVisibleTo(train)


def test_a_child_that_dies_is_told_once(started, qtbot, told):
    StubChild.made[0].exit_code = -9
    qtbot.waitUntil(lambda: not started.follower.running)
    assert len(told.texts) == 1
    assert "exit code -9" in told.texts[0]
    assert started.start.isEnabled()


def test_a_child_that_is_killed_says_how_its_run_goes_on(started, qtbot, told):
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.save()
    child.exit_code = -9
    qtbot.waitUntil(lambda: not started.follower.running)
    assert "out of memory" in told.texts[0]
    assert "out of memory" in started.trouble.text
    assert "cut short. Resume goes on with it" in started.status.text()
    assert f"veinseg train --run {child.run.path} --resume" in started.buttons.resume.toolTip()


@pytest.mark.parametrize("answer", ["Cancel", "Discard"])
def test_a_better_model_that_waits_is_not_dropped_unasked(started, qtbot, monkeypatch, answer):
    button = QMessageBox.StandardButton[answer]
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1) or button)
    (child,) = StubChild.made
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.end()
    qtbot.waitUntil(lambda: not started.follower.running)
    window = started.window()
    window.show()
    qtbot.waitUntil(window.isVisible)
    assert not window.close()
    started.start.click()
    assert asked == [1, 1]
    assert len(StubChild.made) == (2 if answer == "Discard" else 1)
    assert started.comparison.foot.isHidden() == (answer == "Discard")


def test_a_folder_that_is_no_dataset_is_not_described_as_the_last_one(train, dataset, qtbot):
    train.dataset.folder.setText(str(dataset.path))
    train.dataset._survey()
    qtbot.waitUntil(lambda: "3 images" in train.dataset.summary.text())
    train.dataset.folder.setText(str(dataset.path / "masks"))
    train.dataset._survey()
    assert "masks is no dataset" in train.dataset.summary.text()


def test_masks_from_elsewhere_are_learned_from_when_their_folder_is_opened(train, dataset, qtbot):
    (dataset.path / "samples.csv").unlink()
    train.dataset.hold(dataset.path)
    qtbot.waitUntil(lambda: "3 images" in train.dataset.summary.text())
    assert "Trains on" in train.dataset.summary.text()
    train.dataset.hold(dataset.path / "nothing_yet")
    assert "is reviewed yet" in train.dataset.summary.text()


def test_start_waits_for_an_image_to_learn_from(train, dataset, viewer, qtbot, tmp_path):
    viewer.show()
    (tmp_path / "empty" / "images").mkdir(parents=True)
    (tmp_path / "empty" / "masks").mkdir()
    for folder in (tmp_path / "empty", tmp_path):  # a dataset without an image, and none
        train.dataset.folder.setText(str(folder))
        assert train.start.isEnabled(), "nothing is known of it yet"
        train.dataset.folder.editingFinished.emit()
        qtbot.waitUntil(lambda: not train.job.running)
        assert not train.start.isEnabled()
        assert not train.buttons.why_not.visibleRegion().isEmpty()
        assert "no image to learn from" in train.buttons.why_not.text()
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.folder.editingFinished.emit()
    qtbot.waitUntil(lambda: "3 images" in train.dataset.summary.text())
    qtbot.waitUntil(train.start.isEnabled)
    assert not train.buttons.why_not.isVisible()


def test_a_dataset_that_was_mended_elsewhere_is_read_when_one_comes_back(
    train, dataset, qtbot, tmp_path
):
    masks = dataset.path / "masks"
    masks.rename(tmp_path / "away")
    masks.mkdir()
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.folder.editingFinished.emit()
    qtbot.waitUntil(lambda: not train.job.running)
    assert not train.start.isEnabled()
    assert "There is nothing to learn from." in train.dataset.summary.text()
    masks.rmdir()
    (tmp_path / "away").rename(masks)
    QApplication.sendEvent(train.dataset, QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(train.start.isEnabled)
    assert "Trains on" in train.dataset.summary.text()


@pytest.mark.parametrize(
    ("images", "subjects", "said"),
    [(1, 0, "Only one image judged"), (5, 1, "Only 5 images of one subject"), (5, 2, "")],
)
def test_a_better_model_of_few_images_may_be_chance(started, images, subjects, said):
    from napari_veinseg.training.events import RunStatus
    from napari_veinseg.widgets.train.verdict import judge

    status = RunStatus(start={"validation": {"images": images, "fingers": subjects}})
    old, new = ({f"b_{n}": score for n in range(images)} for score in (0.4, 0.6))
    status.scores, status.per_image = {0: 0.4, 1: 0.6}, {0: old, 1: new}
    verdict = judge(status, "base", {})
    assert verdict.headline.startswith("The new model is better")
    assert verdict.advice.startswith(said)
    assert bool(verdict.advice) == bool(said)


@pytest.mark.parametrize(
    ("new", "said"), [(0.1349, "vein IoU 0.1345 → 0.1349"), (0.1341, "0.1345, the new 0.1341")]
)
def test_a_small_gain_or_loss_is_not_rounded_away(new, said):
    from napari_veinseg.training.events import RunStatus
    from napari_veinseg.widgets.train.verdict import judge

    status = RunStatus(start={"validation": {"images": 1, "fingers": 1}})
    status.scores, status.per_image = {0: 0.1345, 1: new}, {0: {"b": 0.1345}, 1: {"b": new}}
    assert said in judge(status, "base", {}).headline


def test_starting_without_a_dataset_is_one_sentence(train, told):
    train.start.click()
    assert told.texts == ["Choose a dataset folder first: it is what a model learns from."]
    assert not train.follower.running


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (QMessageBox.StandardButton.Cancel, False),
        (QMessageBox.StandardButton.Close, True),
    ],
)
def test_closing_the_window_by_hand_asks(started, monkeypatch, qtbot, answer, closes):
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1) or answer)
    window, reached = started.window(), []
    window.show()
    qtbot.waitUntil(window.isVisible)
    with monkeypatch.context() as patched:  # the viewer stays open: its fixture closes it
        patched.setattr(window, "closeEvent", lambda event: reached.append(event.ignore()))
        window.close()
    assert bool(reached) is closes
    assert asked == [1]
    assert not StubChild.made[0].stopped


def test_closing_the_window_asks_also_when_the_dock_floats(started, viewer, monkeypatch, qtbot):
    asked = []
    monkeypatch.setattr(
        QMessageBox, "question", lambda *_: asked.append(1) or QMessageBox.StandardButton.Cancel
    )
    window = viewer.window._qt_window
    window.show()
    qtbot.waitUntil(window.isVisible)
    started.parent().setFloating(True)
    assert not window.close()
    assert asked == [1]
    assert not StubChild.made[0].stopped


def test_closing_the_dock_tells_where_the_run_is(started, viewer, told):
    folder = started.follower.run.path
    viewer.window.remove_dock_widget(started)
    assert StubChild.made[0].stopped
    assert f"stays in {folder}." in told.texts[-1]


@pytest.mark.parametrize("shown", [False, True])
def test_closing_the_viewer_from_code_stops_the_child_without_asking(
    started, viewer, monkeypatch, qtbot, shown
):
    asked = []
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1))
    if shown:
        started.window().show()
        qtbot.waitUntil(started.window().isVisible)
    viewer.close()
    QApplication.processEvents()
    assert StubChild.made[0].stopped
    assert not asked
