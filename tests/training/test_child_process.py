"""Runs in processes of their own: stopped, orphaned, killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from napari_veinseg.model.file import read_model
from napari_veinseg.training import loop
from napari_veinseg.training.child_process import StopButton, TrainingProcess
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import configure, go_on, start
from tests.training.conftest import TINY

# Forked from a server that has everything imported: a child then starts in no time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["napari_veinseg.training.loop"])


def new_run(dataset, tiny, folder, **changes) -> Run:
    how = {"base": tiny, "epochs": 10_000, "patience": 10_000} | TINY | changes
    return start(folder, configure(dataset, **how))


def saving_every_epoch(run):
    loop._SAVE_SECONDS = 0  # epochs are short here
    go_on(run)


def status_of(run) -> RunStatus:
    status = RunStatus()
    for event in EventReader(run.events_path).new_events():
        status.hear(event)
    return status


def wait_until(condition, seconds=200):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def alive(pid) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie is dead; its new parent has only not noticed.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return "Z" not in state.stdout and bool(state.stdout.strip())


def trains_until_pressed(run):
    go_on(run, should_stop=StopButton())


def check_stopped(run, begin):
    # Two seconds on a machine of its own, as `benchmarks/training.py` measures; tests share theirs.
    assert time.monotonic() - begin < 30
    assert status_of(run).end["reason"] == "stopped"
    for path in (run.best, run.last):
        read_model(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_its_weights_kept(dataset, tiny, tmp_path, number):
    run = new_run(dataset, tiny, tmp_path / "run")
    child = FORKS.Process(target=trains_until_pressed, args=(run,))
    child.start()
    wait_until(lambda: len(status_of(run).losses) > 1)
    begin = time.monotonic()
    os.kill(child.pid, number)
    child.join(60)
    assert child.exitcode == 0
    check_stopped(run, begin)


@pytest.mark.timeout(300)
def test_a_child_stops_on_request_and_when_its_parent_is_killed(dataset, tiny, tmp_path):
    runs = [new_run(dataset, tiny, tmp_path / name) for name in ("asked", "orphaned")]
    code = (
        "import sys, time; from napari_veinseg.training.child_process import TrainingProcess;"
        "from napari_veinseg.training.run_folder import Run;"
        "print(TrainingProcess(Run.open(sys.argv[1])).pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(runs[1].path)], stdout=subprocess.PIPE, text=True
    )
    orphan = int(parent.stdout.readline())
    child = TrainingProcess(runs[0])
    try:
        wait_until(lambda: all(len(status_of(run).losses) > 1 for run in runs))
        begin = time.monotonic()
        child.stop()
        assert child.wait(60)
        assert child.exit_code == 0
        check_stopped(runs[0], begin)
        begin = time.monotonic()
        parent.kill()
        parent.wait()
        wait_until(lambda: not alive(orphan))
        check_stopped(runs[1], begin)
    finally:
        parent.kill()
        child._child.kill()


def test_a_child_is_stopped_whose_folder_cannot_be_written(dataset, tiny, tmp_path, monkeypatch):
    def refuse(_):
        raise OSError("No space left on device")

    monkeypatch.setattr(Run, "request_stop", refuse)
    child = TrainingProcess(new_run(dataset, tiny, tmp_path / "run"))
    try:
        child.stop()
        assert child.wait(60)
    finally:
        child._child.kill()


def test_a_child_that_cannot_start_says_why(dataset, tiny, tmp_path):
    run = new_run(dataset, tiny, tmp_path / "run")
    (run.path / "config.json").write_text(
        run.config.model_copy(update={"dataset": tmp_path / "gone"}).model_dump_json()
    )
    child = TrainingProcess(run)
    assert child.wait(100)
    assert child.exit_code == 1
    assert "gone is no dataset" in child.last_words()
    assert "gone is no dataset" in status_of(run).end["text"]


def test_a_killed_run_loses_what_is_not_saved_and_goes_on_to_the_same_weights(
    dataset, tiny, tmp_path
):
    whole = go_on(new_run(dataset, tiny, tmp_path / "whole", epochs=6))
    killed = new_run(dataset, tiny, tmp_path / "killed", epochs=6)
    rng = np.random.default_rng()
    for _ in range(6):
        told = len(status_of(killed).losses)
        child = FORKS.Process(target=saving_every_epoch, args=(killed,))
        child.start()
        time.sleep(rng.uniform(0.05, 1.2))
        child.kill()
        child.join()
        if killed.state.exists():
            state = torch.load(killed.state, weights_only=True)
            assert state["position"]["epoch"] >= told - 1
        for path in (killed.best, killed.last):
            if path.exists():
                read_model(path)
    go_on(killed)
    first, second = (read_model(run.last)[1].state_dict() for run in (whole, killed))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert status_of(whole).scores == status_of(killed).scores


@pytest.mark.parametrize(
    ("scores", "epoch"),
    [([0.5, 0.4, 0.7, 0.6], 2), ([0.9, 0.5, 0.4], 2), ([0.9, 0.4, 0.5, 0.3], 3)],
)
def test_figures_are_of_the_weights_that_can_be_kept(scores, epoch):
    """Where the base is best, `best` holds the base and only the last weights are new."""
    status = RunStatus()
    for number, score in enumerate(scores):
        status.hear(
            {"event": "validation", "epoch": number, "vein_iou": score, "per_image": {"a": score}}
        )
    assert status.offered_epoch == epoch
    assert status.comparison() == [("a", scores[0], scores[epoch])]
    status.hear({"event": "validation", "epoch": 9, "vein_iou": 1.0})  # damaged: changes nothing
    assert status.comparison() == [("a", scores[0], scores[epoch])]
