"""Learning beside the person: it starts, hands over, is gone back from, dies, and goes on."""

import threading
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QInputDialog

from napari_veinseg.correction.drafts import model_name
from napari_veinseg.correction.image_folder import ImageFolder
from napari_veinseg.correction.image_states import ImageState
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.watch_events import Arrival, Idle, Published, Round, as_line
from napari_veinseg.training.watched_runs import Version
from napari_veinseg.widgets.common import model_choice
from napari_veinseg.widgets.masks.layer_metadata import record_of
from napari_veinseg.widgets.train import run_follower
from napari_veinseg.widgets.workbench import learning as learning_module
from tests.widgets.workbench.conftest import press, wait_for_mask, wait_until_saved


class Child:
    """A training process that does what the test says."""

    made: ClassVar[list["Child"]] = []
    pid = 0

    def __init__(self, run):
        self.run, self.exit_code, self.words = run, None, ""
        Child.made.append(self)

    @property
    def running(self):
        return self.exit_code is None

    def tell(self, *events):
        for event in events:
            self.run.tell(as_line(event) | {"seconds": 1.0})

    def publish(self, version):
        path = self.run.versions / f"{version:04}.safetensors"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"weights")
        found = 0.5, 0.6 + version / 10, "arrivals", 0.8, 0.4, 0.7
        self.tell(Published(version, str(path), 2 * version, *found))

    def stop(self):
        self.exit_code = 0

    def wait(self, seconds):
        return True

    def last_words(self):
        return self.words


@pytest.fixture(autouse=True)
def no_child(monkeypatch):
    Child.made = []
    monkeypatch.setattr(run_follower, "TrainingProcess", Child)


@pytest.fixture
def learning(new_bench, folder, qtbot):
    """A workbench with an open folder, with learning switched on."""
    bench = new_bench()
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    switch_on(bench, qtbot)
    return bench


def switch(bench):
    box = bench.status.beside.switch
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def switch_on(bench, qtbot):
    before = len(Child.made)
    switch(bench)
    qtbot.waitUntil(lambda: len(Child.made) > before)


def said(bench):
    return bench.status.beside.state.text()


def made_by(bench, index):
    folder = bench.session.folder
    return model_name(folder.masks.makers.get(folder.stems[index], ""))


def choose(bench, text):
    menu = bench.status.beside.menu
    menu.aboutToShow.emit()
    (action,) = (each for each in menu.actions() if each.text().startswith(text))
    action.trigger()


def test_it_follows_the_dataset_of_the_folder_from_the_chosen_model(learning, folder, qtbot):
    (child,) = Child.made
    assert child.run.config.watch
    assert child.run.config.dataset == folder.with_name("arms_veins")
    assert child.run.config.base == str(learning.segment.model.path)
    child.tell(Round(20, 0.3, 3))
    qtbot.waitUntil(lambda: said(learning) == "Learning from 3 reviewed images.")
    child.tell(Idle("Nothing is new, and it no longer improves."))
    qtbot.waitUntil(lambda: "Nothing is new" in said(learning))
    switch(learning)
    qtbot.waitUntil(lambda: not learning.learning.follower.running)
    assert child.exit_code == 0
    assert not said(learning)
    switch_on(learning, qtbot)  # and it goes on, with all that it knew
    assert Child.made[1].run.path == child.run.path


def test_names_confirmed_meanwhile_reach_what_learns(learning, qtbot):
    (child,) = Child.made
    names = learning.train.dataset.names
    run = Run.open(child.run.path)
    assert not run.hear_names()
    names.pattern.setText(r"^(.+)_\d+$")
    names.by_name.click()
    assert run.hear_names()
    assert run.config.finger_pattern == r"^(.+)_\d+$"
    names.by_name.setChecked(False)
    assert run.hear_names()
    assert run.config.finger_pattern is None


def test_names_confirmed_while_it_rests_are_known_when_it_goes_on(learning, qtbot):
    switch(learning)
    qtbot.waitUntil(lambda: not learning.learning.follower.running)
    names = learning.train.dataset.names
    names.pattern.setText(r"^(.+)_\d+$")
    names.by_name.setChecked(True)
    switch_on(learning, qtbot)
    assert Child.made[1].run.path == Child.made[0].run.path
    assert Child.made[1].run.config.finger_pattern == r"^(.+)_\d+$"


def test_a_new_version_makes_the_masks_of_the_next_images_and_leaves_the_shown_one(learning, qtbot):
    session, (child,) = learning.session, Child.made
    shown = record_of(session.shown.mask).notes.model
    child.publish(1)
    qtbot.waitUntil(lambda: made_by(learning, 1) == made_by(learning, 2) == "version 1")
    assert record_of(session.shown.mask).notes.model == shown
    assert shown.startswith("starter ")
    press(learning, ".")
    wait_for_mask(learning, qtbot, 1)
    assert "Version 1, learnt from 2 images, 40 % of the veins' length left to draw or erase" in (
        learning.status.facts.text()
    )
    assert learning.segment.model.name == learning.train.base.name == "version 1"


def test_masks_that_wait_are_made_again_and_edited_pixels_stay(learning, qtbot, folder):
    session = learning.session
    press(learning, ".")
    wait_for_mask(learning, qtbot, 1)
    session.shown.mask.data_setitem((np.array([2]), np.array([3])), 1)
    press(learning, ".")
    wait_for_mask(learning, qtbot, 2)
    wait_until_saved(learning, qtbot)
    Child.made[0].publish(1)
    qtbot.waitUntil(lambda: made_by(learning, 0) == "version 1")
    assert made_by(learning, 1) == "starter"
    fresh = ImageFolder.open(folder)
    assert fresh.state(1) is ImageState.EDITED
    assert fresh.read(1).draft.mask[2, 3] == 1


def test_one_click_leads_back_to_an_earlier_version_and_it_stays(learning, qtbot):
    (child,) = Child.made
    child.publish(1)
    child.publish(2)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 2")
    choose(learning, "version 1")
    assert learning.segment.model.name == "version 1"
    assert learning.segment.model.path.name == "0001.safetensors"
    child.publish(3)
    qtbot.waitUntil(lambda: len(learning.learning.versions()) == 4)
    assert learning.segment.model.name == "version 1"
    choose(learning, "Always the newest")
    assert learning.segment.model.name == "version 3"
    choose(learning, "starter, before learning")
    assert learning.segment.model.name == "starter"


def test_the_button_of_the_versions_keeps_the_capitals_of_a_name(learning, tmp_path):
    learning.learning.use(Version(0, "handsNIR", tmp_path / "handsNIR.safetensors", "before"))
    assert learning.status.beside.versions.text().strip() == "HandsNIR"


def test_a_version_can_be_kept_as_a_model(learning, qtbot, told, monkeypatch):
    Child.made[0].publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 1")
    installed = []

    def install(file, name):
        installed.append((file.name, name))
        return SimpleNamespace(name=name)

    monkeypatch.setattr(model_choice, "import_model", install)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (" arms ", True))
    choose(learning, "Keep this version")
    qtbot.waitUntil(lambda: bool(installed) and "'arms' is kept" in "".join(told.texts))
    assert installed == [("0001.safetensors", "arms")]


def test_a_model_that_somebody_chooses_elsewhere_stays(learning, qtbot):
    (child,) = Child.made
    child.publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 1")
    learning.segment.model.choose("starter")
    child.publish(2)
    qtbot.waitUntil(lambda: len(learning.learning.versions()) == 3)
    assert learning.segment.model.name == "starter"


def test_learning_from_a_model_that_was_chosen_leads_to_its_versions(new_bench, folder, qtbot):
    bench = new_bench()
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    bench.segment.model.choose("forearm")
    switch_on(bench, qtbot)
    Child.made[0].publish(1)
    qtbot.waitUntil(lambda: bench.segment.model.name == "version 1")
    bench.close_down()
    fresh = new_bench()  # the folder's own model is no wish against its versions
    fresh.session.open(folder)
    qtbot.waitUntil(lambda: fresh.segment.model.name == "version 1")


def test_a_model_chosen_while_versions_are_looked_for_stays(
    learning, new_bench, qtbot, monkeypatch
):
    Child.made[0].publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 1")
    path = learning.session.folder.path
    learning.close_down()
    gate, find = threading.Event(), learning_module.latest_watched_run

    def find_late(dataset):
        assert gate.wait(20)
        return find(dataset)

    monkeypatch.setattr(learning_module, "latest_watched_run", find_late)
    fresh = new_bench()
    fresh.session.open(path)
    wait_for_mask(fresh, qtbot, 0)
    fresh.segment.model.choose("forearm")
    gate.set()
    qtbot.waitUntil(lambda: not fresh.learning._finding.running)
    assert fresh.learning.versions()
    assert fresh.segment.model.name == "forearm"


def test_another_model_that_is_chosen_is_learned_from_when_it_is_switched_on_again(learning, qtbot):
    Child.made[0].publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 1")
    learning.segment.model.choose("forearm")
    switch(learning)
    qtbot.waitUntil(lambda: not learning.learning.follower.running)
    assert learning.segment.model.name == "forearm"
    switch_on(learning, qtbot)
    child = Child.made[1]
    assert child.run.path != Child.made[0].run.path
    assert learning.segment.model.name == "forearm"
    child.publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.path.parent == child.run.versions)


def test_a_child_that_is_killed_is_told_in_a_sentence_with_a_way_on(learning, qtbot, told):
    (child,) = Child.made
    child.publish(1)
    child.words, child.exit_code = "Killed", -9
    qtbot.waitUntil(lambda: not learning.status.beside.switch.isChecked())
    assert "exit code -9" in said(learning)
    assert said(learning).endswith(learning_module.GO_ON)
    assert said(learning) in told.texts
    assert learning.segment.model.name == "version 1"
    switch_on(learning, qtbot)
    assert Child.made[1].run.path == child.run.path
    assert "exit code" not in said(learning)


def test_the_viewer_that_closes_ends_it_and_the_next_goes_on(learning, new_bench, folder, qtbot):
    (child,) = Child.made
    child.tell(Arrival("a", False, 0.5, 0.5, 0), Arrival("b", False, 0.4, 0.4, 0))
    child.publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 1")
    learning.close_down()
    assert child.exit_code == 0
    fresh = new_bench()
    fresh.session.open(folder)
    qtbot.waitUntil(lambda: fresh.segment.model.name == "version 1")
    assert fresh.learning.errors_on_arrival() == [0.5, 0.4]
    assert not fresh.status.beside.switch.isChecked()
    switch_on(fresh, qtbot)
    assert Child.made[1].run.path == child.run.path


def test_what_is_found_late_takes_nothing_from_what_learns(new_bench, folder, qtbot, monkeypatch):
    gate = threading.Event()

    def find_late(dataset):
        assert gate.wait(20)

    monkeypatch.setattr(learning_module, "latest_watched_run", find_late)
    bench = new_bench()
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    switch_on(bench, qtbot)
    gate.set()
    qtbot.waitUntil(lambda: not bench.learning._finding.running)
    Child.made[0].publish(1)
    qtbot.waitUntil(lambda: bench.segment.model.name == "version 1")


def test_the_curve_is_shown_where_there_is_room_and_else_its_last_figure(learning, qtbot):
    Child.made[0].tell(Arrival("a", False, 0.5, 0.5, 0), Arrival("b", False, 0.4, 0.4, 0))
    beside = learning.status.beside
    beside.give_room(True)
    qtbot.waitUntil(beside.curve.isVisible)
    beside.give_room(False)
    assert not beside.curve.isVisible()
    assert said(learning).endswith("Last error on arrival: 0.40.")


@pytest.mark.parametrize("chosen", ["starter", "forearm"])
def test_leaving_the_folder_ends_it_and_gives_the_model_back(new_bench, folder, qtbot, chosen):
    learning = new_bench()
    learning.session.open(folder)
    wait_for_mask(learning, qtbot, 0)
    learning.segment.model.choose(chosen)
    switch_on(learning, qtbot)
    (child,) = Child.made
    child.publish(1)
    qtbot.waitUntil(lambda: learning.segment.model.name == "version 1")
    learning.session.close()
    assert child.exit_code == 0
    assert learning.segment.model.name == learning.train.base.name == chosen
    assert not learning.status.beside.isVisible()


def test_a_place_that_cannot_be_written_is_told_and_the_switch_goes_back(
    new_bench, folder, qtbot, told
):
    bench = new_bench()
    bench.session.open(folder)
    wait_for_mask(bench, qtbot, 0)
    wait_until_saved(bench, qtbot)
    (folder.with_name("arms_veins") / "images").write_text("in the way")
    switch(bench)
    assert not bench.status.beside.switch.isChecked()
    blocking = folder.with_name("arms_veins") / "images"
    assert f"{blocking} is a file where a folder is wanted" in told.texts[-1]
