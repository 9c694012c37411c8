"""`veinseg train` as a user types it."""

import signal

import pytest
from typer.testing import CliRunner

from napari_veinseg.cli import app
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.file import read_card
from tests.training.conftest import _made, dataset, tiny  # noqa: F401


@pytest.fixture(autouse=True)
def signals_as_before():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def veinseg(*arguments):
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def test_a_dataset_becomes_a_model(dataset, tiny, tmp_path):  # noqa: F811
    output, run = tmp_path / "new.safetensors", tmp_path / "run"
    how = ["--output", output, "--from", tiny, "--run", run]
    result = veinseg(dataset.path, *how, "--epochs", 1, "--seed", 3)
    assert result.exception is None, result.output
    assert read_card(output).network == read_card(tiny).network
    assert "Mean vein IoU of the held-out images" in result.output
    again = veinseg("--resume", "--run", run, "--output", output)
    assert again.exception is None
    assert "The budget is used up" in again.output
    figures = [out.splitlines()[-2] for out in (result.output, again.output)]
    assert figures[0] == figures[1]
    assert "before" in figures[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Give a dataset"),
        (["--resume"], "--run"),
        (["set", "--output", "model.pt"], "safetensors"),
        (["nowhere", "--output", "m.safetensors", "--epochs", 1], "no dataset"),
        (["nowhere", "--output", "m.safetensors", "--epochs", 1, "--minutes", 1], "minutes or in"),
    ],
)
def test_a_bad_call_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    error = veinseg(*arguments).exception
    assert isinstance(error, VeinSegError)
    assert said in str(error)
    assert not list(tmp_path.iterdir())


def test_watching_learns_from_what_is_reviewed_until_it_is_stopped(
    dataset,  # noqa: F811
    tiny,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    from napari_veinseg.training import continual, sampling

    monkeypatch.setattr(sampling, "_REMEMBERED", 2)
    monkeypatch.setattr(continual, "_STEPS_WITHOUT_GAIN", 8)
    monkeypatch.setattr(continual, "_ROUND", 1)
    monkeypatch.setattr(continual, "_LOOK_EVERY", 0.0)
    run, rests = tmp_path / "run", []

    def idle(self, reason):
        rests.append(reason)
        self.run.request_stop()
        return False

    monkeypatch.setattr(continual.ContinualTrainer, "_idle", idle)
    sample = dataset["f0_1"]
    dataset.add("f0_1", sample.image(), sample.mask(), reviewed=True, replace=True)
    how = ["--watch", "--from", tiny, "--run", run, "--device", "cpu"]
    result = veinseg(dataset.path, *how)
    assert result.exception is None, result.output
    assert "f0_1 came and is learned from; error on arrival" in result.output
    assert rests == ["Nothing is new, and it no longer improves."]
    assert veinseg(dataset.path, "--watch", "--minutes", 1).exception is not None
