"""On a screen of 1024 x 700, what is pressed next is always wholly in sight, without scrolling."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_veinseg.data.image_files import write_image
from napari_veinseg.training.events import RunStatus
from napari_veinseg.widgets.evaluate.evaluate_work import OpenedImage
from tests.widgets.workbench.conftest import pair, wait_for_mask

NAMES = [f"left index finger {number}" for number in range(9)]


@pytest.fixture
def small(bench):
    bench.viewer.window._qt_window.resize(1024, 700)
    return bench


@pytest.fixture
def arrived(small, folder, qtbot):
    small.session.open(folder)
    wait_for_mask(small, qtbot, 0)
    return small


@pytest.fixture
def in_sight(qtbot):
    def wait(*controls):
        for each in controls:
            qtbot.waitUntil(lambda each=each: each.visibleRegion().boundingRect() == each.rect())
            assert each.isVisible(), each

    return wait


def run(epochs):
    """Return what a run with nine held-out images has told by some epoch."""
    status = RunStatus()
    status.hear({"event": "start", "device": "CPU", "reason": "no GPU", "optimistic": True})
    for epoch in range(epochs + 1):
        images = dict.fromkeys(NAMES, 0.4 - 0.01 * epoch)
        status.hear({"event": "epoch", "epoch": epoch, "loss": 0.5, "progress": 0.1})
        status.hear(
            {"event": "validation", "epoch": epoch, "vein_iou": images[NAMES[0]]}
            | {"per_image": images}
        )
    return status


def test_before_anything_is_opened(small, in_sight):
    in_sight(small.strip.folder, small.segment.segment)
    small.tabs.show_tab("Correct")
    in_sight(small.correct.toolbox.buttons[small.correct.toolbox.tools[0]])
    in_sight(small.correct.reviewing.reviewed)
    small.tabs.show_tab("Train")
    in_sight(small.train.start)
    small.tabs.show_tab("Evaluate")
    in_sight(small.evaluate.measure, small.evaluate.on_dataset.evaluate)


def test_with_an_image_of_a_folder(arrived, in_sight):
    in_sight(arrived.segment.segment, arrived.segment.cancel, arrived.status.reviewed)
    arrived.tabs.show_tab("Train")
    in_sight(arrived.train.start, arrived.status.reviewed)
    arrived.tabs.show_tab("Evaluate")
    in_sight(arrived.evaluate.measure, arrived.evaluate.on_dataset.evaluate)


def test_the_model_that_suits_the_image_better(small, tmp_path, vein_image, qtbot, in_sight):
    grey = np.tile(vein_image, (9, 9))[:360, :360].astype(np.uint8)
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    write_image(scenes / "a.png", np.stack([grey, grey // 4, grey], axis=-1))
    small.session.open(scenes)
    wait_for_mask(small, qtbot, 0)
    in_sight(small.segment.suggestion.use, small.segment.segment, small.status.reviewed)
    small.segment.suggestion.use.click()
    assert not small.segment.suggestion.use.isVisible()


def test_while_correcting(arrived, in_sight):
    correct = arrived.correct
    arrived.tabs.show_tab("Correct")
    for tool in correct.toolbox.tools:
        correct.toolbox.use(tool)
        in_sight(correct.toolbox.buttons[tool], correct.toolbox.message, arrived.status.reviewed)
    correct.toolbox.use(None)
    correct.doubtful_places.asked.emit()
    in_sight(*correct.doubtful_places.decisions, correct.doubtful_places.next)


def test_while_training_and_after_it(arrived, in_sight):
    train = arrived.train
    arrived.tabs.show_tab("Train")
    train.follower.run = SimpleNamespace(result=None, remove=lambda: None)
    train.follower._process = SimpleNamespace(stop=lambda: None)
    train.follower.status = run(epochs=3)
    train._show_run()
    train._show_state()
    in_sight(train.stop)
    train.follower._process = None
    train._show_state()
    train.comparison.show_result(train.follower.status, "starter", {})
    train.comparison.show()
    in_sight(train.comparison.keep, train.comparison.discard, train.start)
    train.comparison.show_kept("my model")
    assert not train.comparison.keep.isVisible()
    in_sight(train.start)


def test_after_an_evaluation(arrived, vein_image, in_sight):
    judge = arrived.evaluate.on_dataset
    arrived.tabs.show_tab("Evaluate")
    assert not judge.save.isVisible()
    judge.results.show()
    judge.save.show()
    truth = np.zeros(vein_image.shape, np.uint8)
    truth[30:36] = 1
    judge._show_image(OpenedImage(pair("b", vein_image, truth), "starter", truth))
    in_sight(judge.save, judge.correct, judge.evaluate)


def test_a_tool_is_put_down_with_its_tab(opened):
    opened.tabs.show_tab("Correct")
    toolbox = opened.correct.toolbox
    toolbox.use(toolbox.tools[0])
    assert toolbox.active is not None
    opened.tabs.show_tab("Evaluate")
    assert toolbox.active is None
    assert opened.session.shown.mask.mode == "pan_zoom"
