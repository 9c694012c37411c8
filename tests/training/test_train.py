import json
import shutil
import time

import numpy as np
import pytest
import torch

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.sample import read_pairs
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import LearnedImage, ModelCard, Original2020Arguments
from napari_veinseg.model.file import build_network, read_card, read_model, write_model
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import configure, go_on
from napari_veinseg.training.validation import held_out_ious
from tests.measurement.shapes import capsule
from tests.training.conftest import TINY

HELD_OUT_IOUS = "napari_veinseg.training.loop.held_out_ious"


def weights(path) -> dict[str, torch.Tensor]:
    return read_model(path)[1].state_dict()


def same(first, second) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def trained(dataset, tiny, folder, **changes):
    how = {"base": tiny, "epochs": 3, "run": folder} | TINY | changes
    return train(dataset, **how)


def status_of(run) -> RunStatus:
    status = RunStatus()
    for event in EventReader(run.events_path).new_events():
        status.hear(event)
    return status


class StopAt:
    """Says stop at the n-th question."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_run_leaves_a_model_that_says_what_it_is(dataset, tiny, tmp_path, monkeypatch):
    scores = iter([0.1, 0.2, 0.4, 0.3])
    monkeypatch.setattr(HELD_OUT_IOUS, lambda *_: {"f0_1": next(scores)})
    events = []
    run = trained(
        dataset, tiny, tmp_path / "run", on_event=events.append, output=tmp_path / "new.safetensors"
    )
    card = read_card(tmp_path / "new.safetensors")
    assert card.parent == "tiny"
    assert len(card.training_data.image_hashes) == 3
    assert card.metrics[0].name == "vein IoU"
    assert "by subject" in card.metrics[0].data
    assert str(tmp_path) not in card.model_dump_json()
    assert [event["event"] for event in events][:2] == ["start", "validation"]
    assert list(EventReader(run.events_path).new_events()) == events
    status = RunStatus()
    for event in events:
        status.hear(event)
    assert sorted(status.losses) == [1, 2, 3]
    assert sorted(status.scores) == [0, 1, 2, 3]
    assert status.end["reason"] == "budget"
    [(stem, old, new)] = status.comparison()
    assert stem in dataset
    assert (old, new) == (0.1, 0.4)
    assert card.metrics[0].value == 0.4
    assert not status.base_is_best
    image = dataset[stem].image()
    assert run.model().probability(image).shape == image.shape


def test_a_run_keeps_the_scales_of_its_base_and_is_judged_at_them(
    dataset, tiny, tmp_path, monkeypatch
):
    card, network = read_model(tiny)
    base = tmp_path / "two.safetensors"
    seen = LearnedImage(image_hash="1", error_on_arrival=0.5, version=0)
    write_model(base, card.model_copy(update={"scales": (1.0, 2.0), "history": (seen,)}), network)
    judged = []
    monkeypatch.setattr(
        HELD_OUT_IOUS,
        lambda model, *_: judged.append(model.card.scales) or {"f0_1": 0.1 * len(judged)},
    )
    run = trained(dataset, base, tmp_path / "run", epochs=1)
    assert judged == [(1, 2), (1, 2)]
    assert {read_card(path).scales for path in (run.last, run.best)} == {(1, 2)}
    assert not read_card(run.best).history, "it is how the base learned"


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_same_seed_gives_the_same_weights(dataset, tiny, tmp_path, precision):
    one, two, other = (
        trained(dataset, tiny, tmp_path / name, seed=seed, precision=precision)
        for name, seed in [("1", 0), ("2", 0), ("3", 1)]
    )
    assert same(weights(one.last), weights(two.last))
    assert not same(weights(one.last), weights(other.last))
    assert {value.dtype for value in weights(one.last).values()} <= {torch.float32, torch.int64}
    told = next(EventReader(one.events_path).new_events())["precision"]
    assert told == {"float32": "32-true", "bfloat16": "bf16-mixed"}[precision]


@pytest.mark.parametrize(
    ("capabilities", "wish", "chosen"),
    [
        ({"amx_bf16": True}, "auto", "bf16-mixed"),
        ({"amx_bf16": False, "avx512_bf16": True}, "auto", "bf16-mixed"),
        ({"amx_bf16": True}, "float32", "32-true"),
        ({"amx_bf16": False, "avx512_bf16": False}, "auto", "32-true"),
        ({}, "auto", "32-true"),
        ({}, "bfloat16", "bf16-mixed"),
        (None, "auto", "32-true"),  # a torch that cannot say
    ],
)
def test_bfloat16_is_used_where_the_cpu_has_units_for_it(monkeypatch, capabilities, wish, chosen):
    from napari_veinseg.training.fabric import choose_precision

    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    if capabilities is not None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_precision(wish, "cpu") == chosen


def test_a_run_never_ends_worse_than_its_start(dataset, tiny, tmp_path, monkeypatch):
    scores = iter([0.6, 0.5, 0.6, 0.4])
    monkeypatch.setattr(HELD_OUT_IOUS, lambda *_: {"f0_1": next(scores)})
    run = trained(dataset, tiny, tmp_path / "run", output=tmp_path / "new.safetensors")
    assert same(weights(tmp_path / "new.safetensors"), weights(tiny))
    assert read_card(run.result) == read_card(tiny)
    assert not same(weights(run.last), weights(tiny))
    (judged,) = read_card(run.last).metrics  # of the model that may be kept all the same
    assert judged.value == 0.4
    go_on(Run.open(run.path))  # there is nothing left to learn
    assert read_card(run.last).metrics == (judged,)
    status = status_of(run)
    assert (status.end["best_epoch"], status.end["best_vein_iou"]) == (0, 0.6)
    assert "that one is kept" in status.end["text"]
    assert status.base_is_best


def test_stopped_before_anything_was_judged_the_last_weights_are_the_result(
    dataset, tiny, tmp_path
):
    run = trained(dataset, tiny, tmp_path / "run", should_stop=StopAt(3))
    assert status_of(run).end["best_epoch"] is None
    assert run.result == run.last


def test_judging_stops_within_the_images(dataset):
    from napari_veinseg.segmentation.settings import SegmentationSettings
    from tests.models import lively_network, small_card

    pairs, settings = [*read_pairs(dataset)], SegmentationSettings()
    model = VeinModel(small_card(), lively_network(small_card()), "cpu")
    assert held_out_ious(model, pairs, settings, StopAt(1)) is None
    assert len(held_out_ious(model, pairs, settings, StopAt(1000))) == len(dataset)


@pytest.mark.usefixtures("soft_scores")
@pytest.mark.parametrize("questions", [1, 2, 5, 9, 13])
def test_a_stopped_run_goes_on_to_the_same_weights(dataset, tiny, tmp_path, questions):
    whole = trained(dataset, tiny, tmp_path / "whole")
    broken = trained(dataset, tiny, tmp_path / "broken", should_stop=StopAt(questions))
    state = torch.load(broken.state, weights_only=True)
    # Heard before the next step: no step without a question that was answered with no.
    assert state["position"]["step"] <= min(questions, 11)
    assert broken.last.exists()
    go_on(Run.open(broken.path))
    assert same(weights(whole.last), weights(broken.last))
    assert same(weights(whole.best), weights(broken.best))
    assert status_of(whole).scores == status_of(broken).scores


def test_training_learns_what_a_clear_vein_is(tmp_path):
    rng = np.random.default_rng(0)
    dataset = Dataset.create(tmp_path / "clear")
    for number in range(4):
        mask = capsule((rng.integers(15, 45), 5), (rng.integers(15, 45), 75), 6, (60, 80))
        image = np.where(mask, 80, 180) + rng.normal(0, 20, mask.shape)
        finger = f"f{number}"
        dataset.add(
            finger, image.clip(0, 255).astype(np.uint8), mask.astype(np.uint8), finger=finger
        )
    how = {"crop": 48, "steps_per_epoch": 10, "learning_rate": 5e-3, "augmentation": "none"}
    run = trained(dataset, None, tmp_path / "run", **how)
    status = status_of(run)
    assert status.losses[3] < 0.3 * status.losses[1]
    assert status.scores[3] > 0.9  # on a finger that it was not shown


def test_batch_statistics_can_be_frozen(dataset, tiny, tmp_path):
    before = weights(tiny)
    frozen = weights(trained(dataset, tiny, tmp_path / "1", freeze_statistics=True).last)
    moved = weights(trained(dataset, tiny, tmp_path / "2").last)
    names = [name for name in before if "running_mean" in name]
    assert names
    assert all(torch.equal(before[name], frozen[name]) for name in names)
    assert not all(torch.equal(before[name], moved[name]) for name in names)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_best(
    dataset, tiny, tmp_path, monkeypatch
):
    calls = []

    def poisoned(logits, *rest, **options):
        calls.append(1)
        return logits.sum() * (float("nan") if len(calls) == 6 else 1e-6)

    monkeypatch.setattr("napari_veinseg.training.learner.vein_loss", poisoned)
    with pytest.raises(VeinSegError, match="no longer a number"):
        trained(dataset, tiny, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    assert all(torch.isfinite(value).all() for value in weights(run.best).values())
    last = json.loads(run.events_path.read_text().splitlines()[-1])
    assert last["reason"] == "failed"


def test_patience_ends_a_run_that_no_longer_improves(dataset, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(HELD_OUT_IOUS, lambda *_: {"f0_1": 0.5})
    run = trained(dataset, tiny, tmp_path / "run", epochs=50, patience=2)
    events = list(EventReader(run.events_path).new_events())
    assert events[-1]["reason"] == "patience"
    assert status_of(run).losses.keys() == {1, 2}


def test_a_budget_in_minutes_is_kept(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=None, minutes=0.02)
    end = list(EventReader(run.events_path).new_events())[-1]
    assert end["reason"] == "budget"
    assert end["seconds"] < 5


def test_judging_the_base_is_not_taken_from_the_budget(dataset, tiny, tmp_path, monkeypatch):
    def scores(*how):
        time.sleep(0.5)
        return held_out_ious(*how)

    monkeypatch.setattr(HELD_OUT_IOUS, scores)
    events = []
    trained(dataset, tiny, tmp_path / "run", epochs=None, minutes=0.01, on_event=events.append)
    first = next(event for event in events if event["event"] == "epoch")
    assert first["step"] >= 1
    assert first["seconds"] < 0.5


@pytest.mark.parametrize("thin", [False, True])
def test_what_cannot_be_used_is_told_and_left_out(dataset, tiny, tmp_path, thin):
    (damaged, twice, blurred), masks = list(dataset)[:3], dataset.path / "masks"
    damaged.image_path.write_bytes(b"no image")
    shutil.copy(twice.mask_path, masks / f"{twice.stem}.png")
    edgeless = np.where(blurred.mask() == 1, 1, 2).astype(np.uint8)
    edgeless[0, 0] = 0
    write_mask(blurred.mask_path, edgeless)
    events = []
    trained(dataset, tiny, tmp_path / "run", thin=thin, epochs=1, on_event=events.append)
    told = " ".join(events[0]["faults"])
    for sample, said in ((damaged, ""), (twice, "share a stem"), (blurred, "mark less as unsure")):
        assert sample.stem in told
        assert said in told
    assert events[0]["train"]["images"] + events[0]["validation"]["images"] == 1


def test_one_image_has_no_figure(dataset, tiny, tmp_path):
    alone = Dataset.create(tmp_path / "alone")
    sample = dataset["f0_1"]
    alone.add("only", sample.image(), sample.mask())
    events = []
    run = trained(alone, tiny, tmp_path / "run", epochs=1, on_event=events.append)
    assert {event["event"] for event in events} == {"start", "epoch", "end"}
    assert not run.best.exists()
    assert read_card(run.result).metrics == ()
    assert run.model() is not None


def test_from_random_weights(dataset, tmp_path):
    run = train(dataset, base=None, epochs=1, run=tmp_path / "run", **TINY | {"steps_per_epoch": 1})
    assert read_card(run.last).parent is None


def test_a_colour_network_learns(dataset, tmp_path):
    base = tmp_path / "o.safetensors"
    card = ModelCard(network=Original2020Arguments())
    write_model(base, card, build_network(card))
    how = TINY | {"steps_per_epoch": 1}
    run = train(dataset, base=base, epochs=1, run=tmp_path / "run", **how)
    assert not same(weights(run.last), weights(base))


def test_the_chosen_channel_is_learned_from(dataset, tiny, tmp_path):
    grey = trained(dataset, tiny, tmp_path / "grey", epochs=1)
    for sample in dataset:
        image = sample.image()
        colours = np.stack([255 - image, image, 255 - image], axis=-1)
        dataset.add(sample.stem, colours, sample.mask(), replace=True)
    green = trained(dataset, tiny, tmp_path / "green", epochs=1, channel="green")
    assert same(weights(green.last), weights(grey.last))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"minutes": 1.0, "epochs": 1}, "minutes or in epochs"),
        ({"minutes": -1.0}, "minutes"),
        ({"epochs": 1, "augmentation": "mirror"}, "augmentation"),
        ({"epochs": 1, "crop": 33}, "crop"),
        ({"epochs": 1, "speed": 3}, "speed"),
    ],
)
def test_an_impossible_config_is_one_sentence(tmp_path, changes, said):
    with pytest.raises(VeinSegError, match=said):
        configure(tmp_path, **changes)


def test_what_cannot_start_leaves_no_folder(dataset, tiny, tmp_path):
    cases = [
        ({"output": tmp_path / "model.pt"}, "safetensors"),
        ({"output": tmp_path / "no" / "m.safetensors"}, "does not exist"),
        ({"finger_pattern": "("}, "pattern"),
    ]
    for changes, said in cases:
        with pytest.raises(VeinSegError, match=said):
            trained(dataset, tiny, tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").touch()
    with pytest.raises(VeinSegError, match="holds something"):
        trained(dataset, tiny, tmp_path / "run")


def test_a_pair_of_single_runs_is_refused(dataset, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(VeinSegError, match="WORLD_SIZE is 2"):
        trained(dataset, tiny, tmp_path / "run")


def test_a_damaged_state_is_one_sentence(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=1)
    run.state.write_bytes(run.state.read_bytes()[:500])
    with pytest.raises(VeinSegError, match="cannot be read"):
        go_on(run)


def test_the_reader_waits_for_whole_lines_and_passes_torn_ones(tmp_path):
    run = Run.create(tmp_path / "run", configure(tmp_path, epochs=1))
    reader = EventReader(run.events_path)
    assert list(reader.new_events()) == []
    run.tell({"event": "start"})
    with run.events_path.open("ab") as file:
        file.write(b'{"event": "epo')
    assert [event["event"] for event in reader.new_events()] == ["start"]
    run.tell({"event": "end"})
    assert [event["event"] for event in reader.new_events()] == ["end"]
