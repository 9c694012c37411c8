"""What a run makes of a hold-out that is another one in its next sitting, or is not judged yet."""

import numpy as np
import pytest

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import go_on
from tests.training.test_data_changes import add, held_out, start_of
from tests.training.test_train import HELD_OUT_IOUS, StopAt, same, status_of, trained, weights


def score_by(monkeypatch, *scores) -> None:
    """Let the hold-out be judged by these figures, one after the other; None is a stop."""
    coming = iter(scores)

    def ious(*_):
        score = next(coming)
        return None if score is None else {"f0_1": score}

    monkeypatch.setattr(HELD_OUT_IOUS, ious)


@pytest.mark.usefixtures("soft_scores")
def test_a_changed_hold_out_is_validated_anew(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    before = status_of(run)
    assert before.scores
    held = Dataset.open(dataset.path)[held_out(dataset)]
    write_mask(held.mask_path, np.roll(held.mask(), 15, axis=0))
    go_on(Run.open(run.path))
    after = status_of(run)
    assert after.start["validated_anew"]
    assert set(after.scores) >= {0, 4}
    assert after.scores[0] != before.scores[0]
    assert after.end["best_vein_iou"] == max(after.scores.values())
    assert {stem for stem, *_ in after.comparison()} == {held.stem}


@pytest.mark.usefixtures("soft_scores")
def test_a_hold_out_that_did_not_change_keeps_its_scores(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    before = status_of(run).scores
    add(dataset, "new_1", 77, "new")
    go_on(Run.open(run.path))
    assert not start_of(run)["validated_anew"]
    assert before.items() <= status_of(run).scores.items()


@pytest.mark.usefixtures("soft_scores")
def test_a_killed_look_at_the_changed_hold_out_is_begun_again(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    held = Dataset.open(dataset.path)[held_out(dataset)]
    write_mask(held.mask_path, np.roll(held.mask(), 15, axis=0))
    go_on(Run.open(run.path), should_stop=StopAt(0))
    go_on(Run.open(run.path))
    assert start_of(run)["validated_anew"]
    assert status_of(run).end["best_vein_iou"] == max(status_of(run).scores.values())


def test_the_best_weights_outlive_a_stopped_look_at_the_changed_hold_out(
    dataset, tiny, tmp_path, monkeypatch
):
    score_by(monkeypatch, 0.1, 0.5, 0.2)
    run = trained(dataset, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    best = weights(run.best)
    held = Dataset.open(dataset.path)[held_out(dataset)]
    write_mask(held.mask_path, np.roll(held.mask(), 15, axis=0))
    score_by(monkeypatch, 0.2, None, None)
    go_on(Run.open(run.path), should_stop=StopAt(0))
    # The base, the best, and what is learned now: all worse than 0.5 on what was held out before.
    score_by(monkeypatch, 0.2, 0.4, 0.3, 0.3, 0.3)
    go_on(Run.open(run.path))
    assert same(weights(run.best), best)
    assert status_of(run).scores[1] == status_of(run).end["best_vein_iou"] == 0.4


def test_a_hold_out_that_comes_late_judges_the_base_too(dataset, tiny, tmp_path, monkeypatch):
    alone, first = Dataset.create(tmp_path / "alone"), dataset["f0_1"]
    alone.add("f0_1", first.image(), first.mask(), finger="f0")
    run = trained(alone, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    assert not status_of(run).scores
    add(alone, "new_1", 77, "new")
    score_by(monkeypatch, 0.9, 0.3, 0.4, 0.5)
    go_on(Run.open(run.path))
    assert status_of(run).scores[0] == 0.9
    assert same(weights(run.best), weights(tiny))


def test_the_best_weights_outlive_a_hold_out_that_is_gone(dataset, tiny, tmp_path, monkeypatch):
    score_by(monkeypatch, 0.1, 0.5, 0.2)
    run = trained(dataset, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    best = weights(run.best)
    held = Dataset.open(dataset.path)[held_out(dataset)]
    held.image_path.unlink()
    held.mask_path.unlink()
    go_on(Run.open(run.path))
    assert start_of(run)["validation"]["images"] == 0
    assert same(weights(run.best), best)
    assert status_of(run).end["best_epoch"] == 1


def test_a_stop_while_the_last_weights_are_judged_is_gone_on_from(
    dataset, tiny, tmp_path, monkeypatch
):
    score_by(monkeypatch, 0.1, None, None)
    how = {"epochs": None, "minutes": 0.01, "steps_per_epoch": 10_000}
    run = trained(dataset, tiny, tmp_path / "run", **how)
    assert status_of(run).end["reason"] == "stopped"
    score_by(monkeypatch, 0.4)
    go_on(Run.open(run.path))
    assert status_of(run).end["reason"] == "budget"
    assert status_of(run).scores == {0: 0.1, 1: 0.4}
