"""Two processes below torchrun learn what one process learns."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from napari_veinseg.model.card import DenseUNetArguments, ModelCard
from napari_veinseg.model.file import build_network, read_model, write_model
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import configure, go_on, start

HOW: dict[str, object] = {
    "epochs": 3,
    "steps_per_epoch": 5,
    "batch_size": 4,
    "crop": 32,
    "device": "cpu",
    "precision": "float32",  # bfloat16 rounds parts of a batch otherwise than the whole
}
LOSS_TOLERANCE = 1e-4  # relative: sums are added in another order
SCORE_TOLERANCE = 0.01  # vein IoU: a pixel on the threshold may fall to either side


@pytest.fixture
def plain(tmp_path):
    """A model without dropout, whose masks would differ between the processes."""
    card = ModelCard(network=DenseUNetArguments(growth_rate=4, layers=(1, 1), stem_channels=4))
    torch.manual_seed(0)
    path = tmp_path / "plain.safetensors"
    write_model(path, card, build_network(card))
    return path


def torchrun(processes, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone",
         f"--nproc-per-node={processes}", "-m", "napari_veinseg", "train", *map(str, arguments)],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def told(run):
    events = list(EventReader(run.events_path).new_events())
    status = RunStatus()
    for event in events:
        status.hear(event)
    return [event["event"] for event in events], status


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_learn_what_one_learns(dataset, plain, tmp_path):
    config = configure(
        dataset, base=plain, validation_share=0.5, freeze_statistics=True, cldice_weight=0.3, **HOW
    )
    alone, both = start(tmp_path / "alone", config), start(tmp_path / "both", config)
    go_on(alone)
    output = tmp_path / "both.safetensors"
    done = torchrun(2, "--run-folder", both.path, "--resume", "--output", output)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Model:") == 1

    (kinds, one), (same_kinds, two) = told(alone), told(both)
    assert kinds == same_kinds  # one process writes
    assert one.losses.keys() == two.losses.keys() == {1, 2, 3}
    np.testing.assert_allclose(
        list(two.losses.values()), list(one.losses.values()), rtol=LOSS_TOLERANCE
    )
    assert one.scores[0] == pytest.approx(two.scores[0], abs=1e-12)  # the very same weights
    np.testing.assert_allclose(
        list(two.scores.values()), list(one.scores.values()), atol=SCORE_TOLERANCE
    )
    assert len(two.comparison()) == 2  # every image of the hold-out, whoever judged it
    learned = [read_model(path)[1].state_dict() for path in (alone.last, both.last)]
    for name, value in learned[0].items():
        torch.testing.assert_close(learned[1][name], value, rtol=1e-3, atol=1e-4)
    assert output.read_bytes() == both.result.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_new_run_whose_statistics_follow_the_images(dataset, plain, tmp_path):
    done = torchrun(
        2, dataset.path, "--run-folder", tmp_path / "run", "--output", tmp_path / "new.safetensors",
        "--from", plain, "--minutes", 0.05, "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    kinds, status = told(Run.open(tmp_path / "run"))
    assert kinds.count("start") == kinds.count("end") == 1
    assert status.end["reason"] == "budget"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_more_processes_than_crops_are_refused(dataset, plain, tmp_path):
    run = start(tmp_path / "run", configure(dataset, base=plain, **HOW | {"batch_size": 1}))
    done = torchrun(2, "--run-folder", run.path, "--resume")
    assert done.returncode != 0
    assert "2 processes cannot share a batch of 1" in done.stderr
    assert told(run)[0] == ["end"]
