"""A training that was cut short with its viewer is offered again, by its dataset."""

import pytest
from qtpy.QtWidgets import QMessageBox

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.run_folder import Run
from napari_veinseg.widgets.train import run_follower
from napari_veinseg.widgets.train.train import TrainWidget
from tests.widgets.test_train import StubChild, blue, layer_data


@pytest.fixture
def dataset(tmp_path):
    made = Dataset.create(tmp_path / "set")
    for number, stem in enumerate(("a_1", "b_1")):
        made.add(stem, *layer_data(number))
    return made


@pytest.fixture
def killed(dataset, tmp_path):
    """A run that learned one epoch before its viewer, and it, died."""
    StubChild.made = []
    base = str(tmp_path / "base.safetensors")
    config = TrainingConfig(dataset=dataset.path, base=base, minutes=1)
    child = StubChild(Run.create(None, config))
    child.learn(1, [{"b_1": 0.4}, {"b_1": 0.6}])
    child.save()
    return child.run


@pytest.fixture
def train(viewer, stub, monkeypatch, tmp_path):
    monkeypatch.setattr(run_follower, "TrainingProcess", StubChild)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "base.safetensors").touch()
    widget = TrainWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Train")
    return widget


def choose(train, dataset, qtbot):
    train.dataset.folder.setText(str(dataset.path))
    train.dataset.folder.editingFinished.emit()
    qtbot.waitUntil(lambda: not train.job.running and not train.before._job.running)


def test_a_training_whose_viewer_died_goes_on(killed, train, dataset, viewer, qtbot):
    viewer.show()
    choose(train, dataset, qtbot)
    qtbot.waitUntil(train.buttons.resume.isVisible)
    assert "was cut short on" in train.buttons.why_not.text()
    assert train.buttons.why_not.isVisible(), "in the foot, where Resume is"
    assert blue(train) == ["Resume"]
    assert train.comparison.isVisible()
    assert "'base'" in train.comparison.details.said.text()
    train.buttons.resume.click()
    child = StubChild.made[-1]
    assert child.run.path == killed.path
    child.learn(2, [{"b_1": 0.4}, {"b_1": 0.6}, {"b_1": 0.7}])
    child.end()
    qtbot.waitUntil(lambda: not train.follower.running)
    assert "0.40 → 0.70" in train.comparison.headline.text()
    assert not train.buttons.resume.isVisible()


@pytest.mark.parametrize("settled", ["finished", "kept", "in work", "begun", "discarded"])
def test_what_is_settled_is_not_offered(killed, train, dataset, qtbot, settled):
    if settled == "finished":
        killed.tell({"event": "end", "reason": "budget", "text": "", "seconds": 2.0})
    elif settled == "kept":
        killed.settle()
    elif settled == "begun":
        killed.state.unlink()
    elif settled == "discarded":
        killed.settle()
        killed.remove()
        assert not killed.path.exists()
    if settled == "in work":
        with killed.locked():
            choose(train, dataset, qtbot)
    else:
        choose(train, dataset, qtbot)
    assert train.buttons.resume.isHidden()
    assert train.follower.run is None


@pytest.mark.parametrize("decided", ["kept", "discarded"])
def test_it_is_offered_once_the_run_of_today_is_decided(killed, train, dataset, qtbot, decided):
    today = Run.create(None, TrainingConfig(dataset=dataset.path.parent, minutes=1))
    train.follower.run = today
    choose(train, dataset, qtbot)
    assert train.follower.run is today
    today.settle() if decided == "kept" else today.remove()
    choose(train, dataset, qtbot)
    qtbot.waitUntil(lambda: train.follower.run.path == killed.path)


def test_it_belongs_to_its_dataset_and_closing_asks_nothing(
    killed, train, dataset, viewer, qtbot, tmp_path, monkeypatch
):
    choose(train, dataset, qtbot)
    qtbot.waitUntil(lambda: train.follower.run is not None)
    assert not train.comparison.foot.isHidden()
    window, asked = viewer.window._qt_window, []
    window.show()
    qtbot.waitUntil(window.isVisible)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: asked.append(1))
    with monkeypatch.context() as patched:  # the viewer stays open: its fixture closes it
        patched.setattr(window, "closeEvent", lambda event: event.ignore())
        window.close()
    assert not asked
    train.dataset.folder.setText(str(tmp_path / "another"))
    assert train.follower.run is None
    assert train.comparison.isHidden()
    assert train.comparison.foot.isHidden()
    assert not train.buttons.why_not.isVisibleTo(train)
    choose(train, dataset, qtbot)
    qtbot.waitUntil(lambda: train.follower.run is not None)


def test_what_is_discarded_is_gone(killed, train, dataset, qtbot):
    choose(train, dataset, qtbot)
    qtbot.waitUntil(lambda: train.follower.run is not None)
    train.comparison.discard.click()
    assert not killed.path.exists()
    assert train.buttons.resume.isHidden()
