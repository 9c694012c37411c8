"""Killed anywhere: everything opens, nothing that was told to be written is missing."""

import json
import multiprocessing
import os
import random
import signal
import time

import numpy as np
import pytest
import torch

from napari_veinseg.correction import autosave
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.model.file import read_model
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.train import configure, go_on, start
from napari_veinseg.training.watch_events import WatchStatus
from tests.faults import killed
from tests.faults.conftest import times
from tests.models import texture, write_small_model

# Forked from a server that has everything imported: a child then starts in no time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["napari_veinseg.training.loop", "tests.faults.killed"])


@pytest.fixture(autouse=True)
def at_once(monkeypatch, models_folder):
    monkeypatch.setattr(autosave, "_SECONDS_UNTIL_LEFT", 0.0)
    torch.set_num_threads(1)


def kill_often(scenario, kills, tally):
    chance = random.Random(0)
    first = lost = 0
    for number in range(kills):
        done = killed.kill_once(FORKS, scenario, first, chance)
        lost += scenario.lost(first, done)
        # One death leaves at most the files that were being written, and the next life sweeps them.
        left = killed.litter(scenario.folder)
        assert len(left) <= 4 * (number + 1)
        killed.age(left)
        first = done + 1
    scenario.clean_up()
    tally("kills tried", kills)
    tally("items lost after kills", lost)
    assert lost == 0
    return killed.litter(scenario.folder)


def test_a_dataset_is_written(tmp_path, tally):
    assert kill_often(killed.AddsSamples(tmp_path), times(5, 60), tally) == []


def test_corrections_are_autosaved(tmp_path, tally):
    kills = times(4, 45)
    kill_often(killed.Autosaves(tmp_path), kills, tally)
    # A session for each life that ended and one that tidied up; of older ones the newest 20 stay.
    assert len(list(tmp_path.glob("2*"))) <= min(kills + 1, 21)


def test_models_are_saved(models_folder, tmp_path, tally):
    left = kill_often(killed.SavesModels(tmp_path), times(4, 45), tally)
    assert [path for path in left if path.parent == models_folder] == []


def test_a_folder_is_segmented(tmp_path, tally):
    write_small_model(tmp_path / "tiny.safetensors")
    (tmp_path / "images").mkdir()
    for number in range(3):
        write_image(tmp_path / "images" / f"{number}.tif", texture((48, 64), number))
    scenario = killed.SegmentsAFolder(tmp_path)
    scenario.prepare()
    scenario.run(overwrite=True)
    (tmp_path / "masks").rename(tmp_path / "expected")
    scenario.run(overwrite=True)
    assert kill_often(killed.SegmentsAFolder(tmp_path), times(4, 35), tally) == []


def test_a_model_is_trained(tmp_path, tally):
    dataset = Dataset.create(tmp_path / "set")
    for number in range(3):
        finger = synthetic_finger(number, (60, 80))
        dataset.add(f"f{number}", finger.image, finger.mask, finger=f"f{number}")
    base = write_small_model(tmp_path / "tiny.safetensors")
    how = {"crop": 32, "batch_size": 1, "steps_per_epoch": 2, "device": "cpu", "patience": 999}
    config = configure(dataset, base=base, epochs=times(8, 60), **how)
    whole, run = start(tmp_path / "whole", config), start(tmp_path / "killed", config)
    go_on(whole)
    chance, kills, lost = random.Random(0), times(4, 30), 0
    for _ in range(kills):
        told = status_of(run)
        child = FORKS.Process(target=killed.trains, args=(run,))
        child.start()
        time.sleep(chance.uniform(0.1, 0.8))
        child.kill()
        child.join()
        for path in (run.best, run.last):
            if path.exists():
                read_model(path)
        if run.state.exists():
            state = torch.load(run.state, weights_only=True)
            lost += state["position"]["epoch"] < len(told.losses) - 1
        killed.age(killed.litter(run.path))
    go_on(run)
    first, second = (read_model(each.last)[1].state_dict() for each in (whole, run))
    lost += sum(not torch.equal(first[name], second[name]) for name in first)
    tally("kills tried", kills)
    tally("items lost after kills", lost)
    assert lost == 0
    assert status_of(whole).scores == status_of(run).scores
    assert killed.litter(run.path) == []


def test_it_learns_beside_a_person(tmp_path, tally):
    dataset = Dataset.create(tmp_path / "set")
    base = write_small_model(tmp_path / "tiny.safetensors")
    how = {"crop": 32, "batch_size": 1, "device": "cpu"}
    run = start(tmp_path / "run", configure(dataset, base=base, watch=True, **how))
    output = tmp_path / "newest.safetensors"
    chance, kills = random.Random(0), times(3, 30)
    for number in range(kills):
        finger = synthetic_finger(number, (60, 80))
        dataset.add(f"f{number}", finger.image, finger.mask, finger=f"f{number}", reviewed=True)
        child = FORKS.Process(target=killed.learns_beside, args=(run, output))
        child.start()
        time.sleep(chance.uniform(0.5, 3))
        child.kill()
        child.join()
        for path in (run.best, output, *run.versions.glob("*.safetensors")):
            if path.exists():
                read_model(path)
        killed.age(killed.litter(tmp_path))
    deadline, status = time.monotonic() + 120, WatchStatus()
    child = FORKS.Process(target=killed.learns_beside, args=(run, output))
    child.start()
    stems = sorted(f"f{number}" for number in range(kills))
    while child.is_alive() and time.monotonic() < deadline:
        child.join(0.1)
        if arrived(run) == stems:
            run.request_stop()  # again, for a run that begins withdraws it
    child.kill()
    child.join()
    for event in EventReader(run.events_path).new_events():
        status.hear(event)
    stems_told = [each.stem for each in status.arrivals]
    tally("kills tried", kills)
    tally("items lost after kills", len(stems) - len(set(arrived(run))))
    assert child.exitcode == 0
    assert arrived(run) == stems
    assert len(stems_told) == len(set(stems_told))
    assert killed.litter(run.path) == []


def test_a_dataset_is_edited_elsewhere_while_a_laptop_sleeps(tmp_path):
    """What learns is stopped; another program removes, corrects, damages and adds samples."""
    dataset = Dataset.create(tmp_path / "set")
    for number in range(5):
        finger = synthetic_finger(number, (60, 80))
        dataset.add(f"f{number}", finger.image, finger.mask, finger=f"f{number}", reviewed=True)
    base = write_small_model(tmp_path / "tiny.safetensors")
    how = {"crop": 32, "batch_size": 1, "device": "cpu"}
    run = start(tmp_path / "run", configure(dataset, base=base, watch=True, **how))
    child = FORKS.Process(target=killed.learns_beside, args=(run, None))
    child.start()
    until(lambda: told(run, "round"), child)
    os.kill(child.pid, signal.SIGSTOP)
    removed, corrected, damaged, *_ = Dataset.open(dataset.path).train
    removed.image_path.unlink()
    removed.mask_path.unlink()
    write_mask(corrected.mask_path, np.roll(corrected.mask(), 3, axis=0))
    damaged.image_path.write_bytes(damaged.image_path.read_bytes()[:100])
    finger = synthetic_finger(9, (60, 80))
    dataset.add("new", finger.image, finger.mask, finger="new", reviewed=True)
    os.kill(child.pid, signal.SIGCONT)
    until(lambda: {"new", corrected.stem} <= {*told(run, "arrival")[5:]}, child)
    rounds = len(told(run, "round"))
    until(lambda: len(told(run, "round")) > rounds, child)
    run.request_stop()
    child.join(60)
    assert child.exitcode == 0
    assert sorted(told(run, "removal")) == sorted([removed.stem, damaged.stem])
    assert sorted(told(run, "arrival")) == sorted(
        ["f0", "f1", "f2", "f3", "f4", corrected.stem, "new"]
    )


def until(holds, child):
    deadline = time.monotonic() + 120
    while not holds():
        assert child.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_several_programs_add_to_one_dataset(tmp_path, tally):
    writers, count = 3, times(4, 30)
    children = [
        FORKS.Process(target=killed.add_many, args=(tmp_path / "set", writer, count))
        for writer in range(writers)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(600)
    assert [child.exitcode for child in children] == [0] * writers
    dataset = Dataset.open(tmp_path / "set")
    assert dataset.faults() == []
    assert {sample.stem: sample.finger for sample in dataset} == {
        f"{writer}-{number}": f"finger {writer}"
        for writer in range(writers)
        for number in range(count)
    }
    tally("samples added by several programs at once", len(dataset))


def arrived(run) -> list[str]:
    records = json.loads(run.arrivals.read_text(encoding="utf-8")) if run.arrivals.exists() else {}
    return sorted(each["stem"] for each in records.get("arrivals", []))


def status_of(run) -> RunStatus:
    status = RunStatus()
    for event in EventReader(run.events_path).new_events():
        status.hear(event)
    return status


def told(run, event) -> list:
    lines = EventReader(run.events_path).new_events()
    return [line.get("stem") for line in lines if line["event"] == event]
