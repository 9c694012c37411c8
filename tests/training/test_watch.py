"""Learning beside a person: what is reviewed is learned from, and only what is better comes out."""

import csv
import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import image_hash
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.errors import VeinSegError
from napari_veinseg.measurement.vein_width_from_mask import median_width
from napari_veinseg.model.card import LearnedImage
from napari_veinseg.model.file import read_card, read_model, write_model
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.training import continual, sampling, throttling, version_choice
from napari_veinseg.training import versions as versions_module
from napari_veinseg.training.averaging import interpolate
from napari_veinseg.training.dataset_watcher import DatasetWatcher
from napari_veinseg.training.events import EventReader
from napari_veinseg.training.operating_point import Outcome
from napari_veinseg.training.rehearsal import remembered_samples
from napari_veinseg.training.reviewed_pool import ReviewedPool
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.sampling import sampling_weights, with_remembered
from napari_veinseg.training.train import configure, go_on, start
from napari_veinseg.training.watch_events import WatchStatus, as_line, describe, from_line
from napari_veinseg.training.watched_runs import WatchedRun
from tests.training.conftest import TINY

HOW = {name: value for name, value in TINY.items() if name != "steps_per_epoch"}


@pytest.fixture(autouse=True)
def in_haste(monkeypatch):
    monkeypatch.setattr(continual, "_ROUND", 2)
    monkeypatch.setattr(continual, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(continual, "_STEPS_A_COMPARISON", 4)
    monkeypatch.setattr(version_choice, "_STEPS_A_VERSION", 4)
    monkeypatch.setattr(continual, "_STEPS_WITHOUT_GAIN", 8)
    monkeypatch.setattr(sampling, "_REMEMBERED", 2)


@pytest.fixture
def empty(tmp_path):
    return Dataset.create(tmp_path / "work")


@pytest.fixture
def run(empty, tiny, tmp_path) -> Run:
    return start(tmp_path / "run", configure(empty, base=tiny, watch=True, **HOW))


def review(dataset, name, seed, reviewed=True, finger=None):
    made = synthetic_finger(seed, shape=(60, 80))
    finger = name if finger is None else finger
    return dataset.add(
        name, made.image, made.mask, finger=finger, reviewed=reviewed, replace=name in dataset
    )


class Person:
    """Does one thing each time that the run has nothing to do, then stops it."""

    def __init__(self, *deeds):
        self.deeds, self.lines = list(deeds), []
        self.idle, self.looks = False, 0

    def hear(self, line):
        self.lines.append(line)
        if line["event"] in ("idle", "arrival", "round"):
            self.idle = line["event"] == "idle"
        self.looks = 0

    def __call__(self):
        self.looks += self.idle
        if self.looks > 100:  # more than it asks until it has seen and judged all
            if not self.deeds:
                return True
            self.looks = 0
            self.deeds.pop(0)()
        return False


def watched(run, *deeds, output=None) -> tuple[WatchStatus, list[dict]]:
    person = Person(*deeds)
    go_on(Run.open(run.path), output, person.hear, person)
    status = WatchStatus()
    for line in EventReader(run.events_path).new_events():
        status.hear(line)
    return status, person.lines


def judged(monkeypatch, score):
    """Let `score(version, stem)` be the vein IoU; version None is that of the latest weights."""

    def fake(self, model, pair):
        iou = score(self.number if model is self.in_use else None, pair.sample.stem)
        return dict.fromkeys(self._thresholds, Outcome(iou, 100 * (1 - iou), 100))

    monkeypatch.setattr(versions_module.Versions, "_judge", fake)


def test_what_is_reviewed_is_predicted_and_then_learned_from(run, empty):
    status, lines = watched(
        run,
        lambda: (review(empty, "draft", 2, reviewed=False), review(empty, "a", 1)),
        lambda: review(empty, "b", 3),
    )
    assert [each.stem for each in status.arrivals] == ["a", "b"]
    assert all(0 <= error <= 1 for error in status.errors_on_arrival())
    kinds = [line["event"] for line in lines]
    assert kinds.index("arrival") < kinds.index("round")
    assert next(line["pool"] for line in lines if line["event"] == "round") == 1
    assert {sample.split for sample in Dataset.open(empty.path) if sample.reviewed} == {
        "train",
        "validation",
    }
    assert kinds[0] == "start"
    assert kinds[-1] == "end"
    assert status.idle is not None


def test_it_stops_while_it_judges_and_what_it_judged_comes_again(run, empty, monkeypatch):
    judging, judge = [], versions_module.judge
    monkeypatch.setattr(
        versions_module, "judge", lambda *how: (judging.append(how), judge(*how))[1]
    )
    for number, name in enumerate("ab"):
        review(empty, name, number)
    go_on(run, should_stop=lambda: len(judging) == 2)
    status = WatchStatus()
    for line in EventReader(run.events_path).new_events():
        status.hear(line)
    assert status.end["reason"] == "stopped"
    assert [each.stem for each in status.arrivals] == ["a"]
    status, _lines = watched(run)
    assert [each.stem for each in status.arrivals] == ["a", "b"]
    assert len(status.errors_on_arrival()) == 2


def test_it_stops_while_it_reads(run, empty):
    asked = []
    for number in range(40):
        review(empty, f"f{number}", 1, finger="f")
    pool_read = []
    go_on(run, None, pool_read.append, lambda: asked.append(1) or len(asked) > 3)
    assert [line["event"] for line in pool_read] == ["start", "end"]


def test_only_what_beats_the_version_in_use_is_published(run, empty, monkeypatch, tmp_path):
    gains = {0: 0.50, 1: 0.60, 2: 0.70}
    latest = iter([0.40, 0.60, 0.70, *[0.65] * 50])
    judged(monkeypatch, lambda version, _stem: next(latest) if version is None else gains[version])
    output = tmp_path / "out.safetensors"
    status, _ = watched(run, lambda: [review(empty, f"f{n}", n) for n in range(2)], output=output)
    assert [(each.version, each.in_use, each.latest) for each in status.versions] == [
        (1, 0.5, 0.6),
        (2, 0.6, 0.7),
    ]
    assert {each.by for each in status.versions} == {"hold-out"}
    files = sorted(run.versions.iterdir())
    assert [path.name for path in files] == ["0001.safetensors", "0002.safetensors"]
    assert output.read_bytes() == run.best.read_bytes() == files[1].read_bytes()
    card = read_card(output)
    assert card.metrics[0].value == 0.7
    assert [each.held_out for each in card.history].count(True) == 1
    assert card.history[0].error_on_arrival == 0.5
    assert len(card.training_data.image_hashes) == 1
    assert "f0" not in card.model_dump_json()


def test_what_the_base_draws_too_much_is_gone_after_the_first_review(run, empty, monkeypatch, tiny):
    def fake(self, model, pair):
        return {t: Outcome(0.1, 300 if t < 0.8 else 100, 100) for t in self._thresholds}

    monkeypatch.setattr(versions_module.Versions, "_judge", fake)
    status, lines = watched(run, lambda: review(empty, "a", 1))
    (version,) = status.versions  # at once, and none after it that does no better
    assert (version.left_in_use, version.left_latest, version.threshold) == (3, 1, 0.8)
    card = read_card(run.best)
    assert card.threshold == 0.8
    assert "chosen for the images that it learnt from" in card.description
    assert f"for others begin with {read_card(tiny).threshold:g}" in card.description
    kinds = [line["event"] for line in lines]
    assert kinds.index("published") < kinds.index("round")
    _, later = watched(run, lambda: review(empty, "b", 2))
    assert {line["threshold"] for line in later if line["event"] == "comparison"} == {0.8}


def test_what_is_said_of_a_version_is_true_where_nobody_saw_a_vein(run, empty, monkeypatch):
    def fake(self, model, pair):
        return {t: Outcome(0, 900 if t < 0.8 else 70, 0) for t in self._thresholds}

    monkeypatch.setattr(versions_module.Versions, "_judge", fake)
    watched(run, lambda: review(empty, "a", 1))
    found = WatchedRun.of(run)
    assert found.versions()[-1].seen == (
        "learnt from 1 image, judged on images without a vein so far"
    )
    assert "no vein in the images that judge it" in describe(found.status.versions[0])


def test_without_a_hold_out_arrivals_decide(run, empty, monkeypatch):
    judged(monkeypatch, lambda version, stem: 0.5 if version == 0 else 0.7)
    one_finger = lambda name, seed: review(empty, name, seed, finger="one")  # noqa: E731
    (run.path / "config.json").write_text(
        run.config.model_copy(update={"validation_share": 0.0}).model_dump_json()
    )
    first, _ = watched(run, lambda: one_finger("a1", 1))
    assert first.versions == []  # nothing has been predicted yet that was not learned from
    status, _ = watched(run, lambda: one_finger("a2", 2))
    (version,) = status.versions
    assert (version.by, version.in_use, version.latest) == ("arrivals", 0.5, pytest.approx(0.7))
    assert [each.error_in_use for each in status.arrivals] == [0.5, 0.5]
    assert read_card(run.best).metrics == ()


def learning(monkeypatch, score):
    """Let `score(who)` be the vein IoU at all thresholds: of the base, a version or the latest."""

    def fake(self, model, pair):
        is_base = model is self._base or (model is self.in_use and not self.learned)
        iou = score("base" if is_base else "in use" if model is self.in_use else "latest")
        return dict.fromkeys(self._thresholds, Outcome(iou, 100 * (1 - iou), 100))

    monkeypatch.setattr(versions_module.Versions, "_judge", fake)


def reviews_one_by_one(run, dataset, count):
    deeds = [lambda n=n: review(dataset, f"f{n}", n, finger=f"f{n}") for n in range(count)]
    (run.path / "config.json").write_text(
        run.config.model_copy(update={"validation_share": 0.0}).model_dump_json()
    )
    return watched(run, *deeds)


def test_where_learning_helps_each_review_gives_a_version(run, empty, monkeypatch):
    scores = {"base": 0.2, "in use": 0.6, "latest": 0.5}  # the one in use had luck
    learning(monkeypatch, scores.get)
    status, _ = reviews_one_by_one(run, empty, 4)
    assert [(each.in_use, each.latest) for each in status.versions] == [(0.2, 0.5)] * 3
    assert [each.learned_from for each in status.versions] == [2, 3, 4]


def test_nothing_is_handed_over_that_may_be_better_by_chance(run, empty, monkeypatch):
    scores = {"base": 0.5, "in use": 0.5, "latest": 0.55}
    learning(monkeypatch, scores.get)

    def come(number, latest):
        scores["latest"] = latest
        review(empty, f"g{number}", number, finger=f"g{number}")

    reviews_one_by_one(run, empty, 0)
    better_by = (0.05, 0.05, 0.05, 0.4, -0.2)  # a little, by far, a little in the mean of all
    status, lines = watched(run, *(partial(come, n, 0.5 + d) for n, d in enumerate(better_by)))
    assert [each.learned_from for each in status.versions] == [4]
    found = [from_line(line) for line in lines if line["event"] == "comparison"][-1]
    assert found.gain > 0
    assert not found.surely


def test_where_learning_harms_the_base_comes_back(run, empty, monkeypatch, tiny):
    scores = {"base": 0.4, "in use": 0.1, "latest": 0.7}
    learning(monkeypatch, scores.get)
    reviews_one_by_one(run, empty, 2)
    scores["latest"] = 0.1
    status, _ = watched(run, *[lambda n=n: review(empty, f"g{n}", n + 9) for n in range(2)])
    first, *_, last = status.versions
    assert (first.learned_from, last.learned_from) == (2, 0)
    assert (last.in_use, last.latest) == pytest.approx((0.1, 0.4))
    (_, base), (_, found) = read_model(tiny), read_model(run.best)
    for name, value in base.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], value)
    assert WatchedRun.of(run).versions()[-1].seen == "as before learning, which did not help yet"


def test_a_base_that_had_learned_beside_somebody_comes_back_as_the_base(
    empty, tiny, tmp_path, monkeypatch
):
    card, network = read_model(tiny)
    history = (LearnedImage(image_hash="0" * 64, error_on_arrival=0.5, version=0),)
    write_model(tmp_path / "v.safetensors", card.model_copy(update={"history": history}), network)
    base = tmp_path / "v.safetensors"
    run = start(tmp_path / "run", configure(empty, base=base, watch=True, **HOW))
    scores = {"base": 0.4, "in use": 0.1, "latest": 0.7}
    learning(monkeypatch, scores.get)
    reviews_one_by_one(run, empty, 2)
    scores["latest"] = 0.1
    status, _ = watched(run, *[lambda n=n: review(empty, f"g{n}", n + 9) for n in range(2)])
    assert status.versions[-1].learned_from == 0


def test_a_threshold_that_one_image_made_seem_cheap_is_left_again(run, empty, monkeypatch, tiny):
    card = read_card(tiny)

    def fake(self, model, pair):  # what is learned is always worse
        is_base = model is self._base or (model is self.in_use and not self.learned)
        at_low = pair.sample.stem == "f0"
        return {
            t: Outcome(0.5 if is_base else 0.1, 20 if (t < card.threshold) == at_low else 60, 100)
            for t in self._thresholds
        }

    monkeypatch.setattr(versions_module.Versions, "_judge", fake)
    status, _ = reviews_one_by_one(run, empty, 4)
    first, last = status.versions
    assert first.threshold < card.threshold == last.threshold
    assert (first.learned_from, last.learned_from) == (1, 0)


@pytest.mark.parametrize("left", [0.5, 1.5])
def test_what_nothing_has_judged_is_used_only_where_masks_are_worse_than_none(
    run, empty, monkeypatch, left
):
    def fake(self, model, pair):
        return dict.fromkeys(self._thresholds, Outcome(0.2, 100 * left, 100))

    monkeypatch.setattr(versions_module.Versions, "_judge", fake)
    status, _ = reviews_one_by_one(run, empty, 1)
    assert len(status.versions) == (left > 1)
    for version in status.versions:
        assert (version.by, version.in_use, version.latest) == ("nothing", None, None)
        assert "judged by no image yet" in describe(version)
        assert WatchedRun.of(run).versions()[-1].seen == "learnt from 1 image, not judged yet"


@pytest.mark.parametrize(
    ("held_out", "arrivals", "judged_on", "by"),
    [
        (0, 0, 0, None),
        (0, 2, 2, "arrivals"),
        (2, 0, 2, "hold-out"),
        (1, 1, 1, "arrivals"),
        (2, 4, 4, "arrivals"),
        (3, 2, 5, "hold-out"),
        (20, 20, 16, "hold-out"),
    ],
)
def test_what_did_well_on_few_images_by_chance_is_not_in_use_for_good(
    run, tiny, monkeypatch, held_out, arrivals, judged_on, by
):
    base, latest = (versions_module.Model(*read_model(tiny)) for _ in range(2))
    versions = versions_module.Versions(run, base, SegmentationSettings(), "cpu")

    def pairs(name, count):
        return [
            SimpleNamespace(image_hash=f"{name}{n}", mask_hash="", held_out=name == "held")
            for n in range(count)
        ]

    def judge(self, model, pair):  # lucky on what is held out, worse on all that is new
        iou = (0.8 if pair.held_out else 0.2) if model is base else 0.5
        return dict.fromkeys(self._thresholds, Outcome(iou, 100 * (1 - iou), 100))

    monkeypatch.setattr(versions_module.Versions, "_judge", judge)
    for pair in pairs("new", arrivals):
        versions.score_arrival(pair, latest)
    found = versions.compare(latest, pairs("held", held_out), 1)
    assert (found and found.by) == by
    if found:
        assert found.images == judged_on
        assert (found.latest > found.in_use) == (by == "arrivals")


def test_a_restart_goes_on_and_nothing_arrives_twice(run, empty):
    first, _ = watched(run, lambda: [review(empty, f"f{n}", n) for n in range(3)])
    status, lines = watched(run, lambda: review(empty, "new", 9))
    assert [each.stem for each in status.arrivals] == ["f0", "f1", "f2", "new"]
    rounds = [line["step"] for line in lines if line["event"] == "round"]
    told = [
        line["step"]
        for line in map(json.loads, run.events_path.read_text().splitlines())
        if line["event"] == "round"
    ]
    assert rounds[0] > 2
    assert told == sorted(set(told))
    assert first.arrivals == status.arrivals[:3]


def test_an_edited_dataset_is_followed(run, empty):
    def edit():
        a, b = Dataset.open(empty.path).train[:2]
        write_mask(a.mask_path, np.roll(a.mask(), 3, axis=0))
        b.mask_path.write_bytes(b"no mask")
        (held,) = Dataset.open(empty.path).validation
        held.image_path.unlink()
        held.mask_path.unlink()

    status, lines = watched(run, lambda: [review(empty, f"f{n}", n) for n in range(4)], edit)
    gone = {line["stem"] for line in lines if line["event"] == "removal"}
    assert len(gone) == 2
    assert len(status.arrivals) == 5
    again = status.arrivals[-1]
    assert again.error_in_use is None  # it had been learned from
    assert [line for line in lines if line["event"] == "round"][-1]["pool"] == 2


def test_the_hold_out_is_never_learned_from(run, empty, monkeypatch):
    judged(monkeypatch, lambda version, stem: 0.9 if version is None else 0.1)

    def twin():
        held = Dataset.open(empty.path).validation[0]
        empty.add("twin", held.image(), held.mask(), finger="another", reviewed=True)

    _, lines = watched(run, lambda: [review(empty, f"f{n}", n) for n in range(4)], twin)
    held = Dataset.open(empty.path).validation[0]
    assert any("same pixels" in line.get("reason", "") for line in lines)
    versions = list(run.versions.iterdir())
    assert versions
    for path in versions:
        assert image_hash(held.image()) not in read_card(path).training_data.image_hashes


def test_shots_of_the_first_subject_are_on_one_side_once_there_are_two(run, empty):
    def shots(finger, *seeds):
        return lambda: [review(empty, f"{finger}{n}", n, finger=finger) for n in seeds]

    status, lines = watched(run, shots("a", 1, 2, 3, 4), shots("b", 5), shots("c", 6))
    drawn = Dataset.open(empty.path)
    assert not {s.finger for s in drawn.train} & {s.finger for s in drawn.validation}
    assert [line["stem"] for line in lines if line["event"] == "arrival"] == [
        each.stem for each in status.arrivals
    ]
    assert len(status.arrivals) == 6
    last = [line for line in lines if line["event"] == "round"][-1]
    assert last["pool"] == len(drawn.train)


def name_in_the_run(run, dataset):
    Run.open(run.path).name_fingers("^([a-z])")


def name_in_the_dataset(run, dataset):
    with (dataset.path / "samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (dataset.path / "samples.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(row | {"finger": row["stem"][0]} for row in rows)


@pytest.mark.parametrize("name", [name_in_the_run, name_in_the_dataset])
def test_subjects_that_are_named_while_it_runs_are_heard_of_at_once(run, empty, name, monkeypatch):
    pools, drawn = [], {}
    shots = [f"{subject}{n}" for subject in "abc" for n in range(3)]

    def make(*args):
        pools.append(ReviewedPool(*args))
        return pools[-1]

    def name_them():
        drawn.update({s.stem: s.split for s in Dataset.open(empty.path)})
        name(run, empty)

    monkeypatch.setattr(continual, "ReviewedPool", make)
    status, lines = watched(
        run, lambda: [review(empty, stem, n, finger="") for n, stem in enumerate(shots)], name_them
    )
    now = {s.stem: s.split for s in Dataset.open(empty.path)}
    before, after = (
        {subject: {split[s] for s in shots if s[0] == subject} for subject in "abc"}
        for split in (drawn, now)
    )
    crossing = [subject for subject in "abc" if len(before[subject]) == 2]
    assert 1 <= len(crossing) < 3
    assert all(len(sides) == 1 for sides in after.values())
    assert all(before[s] == after[s] for s in "abc" if s not in crossing)
    left_out = {s for s in shots if (drawn[s], now[s]) == ("train", "validation")}
    assert {line["stem"] for line in lines if line["event"] == "removal"} == left_out
    (pool,) = pools
    assert pool.holdout.keys() == {s for s in shots if now[s] == "validation"} - left_out
    assert pool.train.keys() == {s for s in shots if now[s] == "train"}
    assert len(status.arrivals) == len(shots)  # nobody's mask is new


def test_the_watcher_tells_a_new_name_from_a_new_mask(empty):
    watcher = DatasetWatcher(empty.path)
    review(empty, "a1", 1, finger="a")
    review(empty, "b1", 2, finger="")
    watcher.poll()
    watcher.read_names_by("^([a-z])")
    changes = watcher.poll()
    assert [(each.stem, each.finger) for each in changes.renamed] == [("b1", "b")]
    assert changes.arrived == changes.gone == ()


def test_a_full_disk_is_waited_out(run, empty, monkeypatch):
    full, tell = [False], Run.tell

    def refuse(self, event):
        if full[0]:
            raise OSError(28, "No space left on device")
        tell(self, event)

    monkeypatch.setattr(Run, "tell", refuse)

    def fill():
        full[0] = True
        review(empty, "b", 2)

    with pytest.warns(UserWarning, match="rights and space"):
        status, lines = watched(
            run, lambda: review(empty, "a", 1), fill, lambda: (full.clear(), full.append(False))
        )
    assert [each.stem for each in status.arrivals] == ["a", "b"]
    assert [*EventReader(run.events_path).new_events()] == lines


def test_what_came_while_a_share_went_away_comes_again(run, empty, monkeypatch):
    read, refused = ReviewedPool.read, []

    def away_once(self, samples, renamed=()):
        samples = list(samples)
        if samples and not refused:
            refused.extend(samples)
            raise VeinSegError("The share is away.")
        return read(self, samples, renamed)

    monkeypatch.setattr(ReviewedPool, "read", away_once)
    status, lines = watched(run, lambda: review(empty, "a", 1))
    assert [sample.stem for sample in refused] == ["a"]
    assert "The share is away." in [line.get("reason") for line in lines]
    assert [each.stem for each in status.arrivals] == ["a"]


def test_a_pause_rests_until_it_is_taken_back(run, empty):
    run.pause(True)
    review(empty, "a", 1)
    _, lines = watched(run, lambda: run.pause(False))
    kinds = [line["event"] for line in lines if line["event"] in ("idle", "round")]
    assert kinds[0] == "idle"
    assert "round" in kinds


class Machine:
    """A machine whose others compute on so many cores, and whose battery is in use or not."""

    def __init__(self, monkeypatch, cores=2, others=0.0, battery=None, plugged=False):
        self.now, self.others, self.own, self.slept = 100.0, others, 0.0, 0.0
        power = battery and SimpleNamespace(percent=battery, power_plugged=plugged)
        fakes = {
            "cpu_times": lambda: SimpleNamespace(user=self.busy, system=1.0),
            "Process": lambda: SimpleNamespace(
                cpu_times=lambda: SimpleNamespace(user=self.own, system=0.0)
            ),
            "sensors_battery": lambda: power,
        }
        monkeypatch.setattr(throttling, "psutil", SimpleNamespace(**fakes))
        monkeypatch.setattr(throttling, "usable_cpus", lambda: cores)
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep)
        monkeypatch.setattr(throttling, "time", clock)
        self.throttle = throttling.Throttle(threads=max(1, cores // 2))

    @property
    def busy(self):
        return self.others * self.now + self.own

    def sleep(self, seconds):
        self.now, self.slept = self.now + seconds, self.slept + seconds

    def learn(self, seconds, step=0.5):
        end = self.now + seconds
        while self.now < end:
            self.now, self.own = self.now + step, self.own + step
            self.throttle.take_a_break(step)
        return self.slept / seconds


@pytest.mark.parametrize(
    ("machine", "slow", "rests"),
    [
        ({}, False, False),
        ({"others": 0.9}, False, False),
        ({"others": 1.5}, True, False),
        ({"cores": 8, "others": 3.5}, False, False),
        ({"cores": 8, "others": 5}, True, False),
        ({"cores": 1, "others": 0.2}, False, False),
        ({"cores": 1, "others": 0.8}, True, False),
        ({"battery": 80}, True, False),
        ({"battery": 12}, True, True),
        ({"battery": 12, "plugged": True}, False, False),
        ({"battery": 12, "plugged": None}, False, False),
    ],
)
def test_others_and_a_battery_are_respected(monkeypatch, machine, slow, rests):
    made = Machine(monkeypatch, **machine)
    assert made.learn(60) == pytest.approx(0.5 if slow else 0.0, abs=0.05)
    assert bool(made.throttle.reason_to_rest()) == rests


def test_a_low_battery_is_waited_for(run, empty, monkeypatch):
    reasons = ["It rests."] * 5
    monkeypatch.setattr(
        continual.Throttle, "reason_to_rest", lambda _: reasons.pop() if reasons else ""
    )
    _, lines = watched(run, lambda: review(empty, "a", 1))
    told = [(line["event"], line.get("reason")) for line in lines]
    assert told.index(("idle", "It rests.")) < [event for event, _ in told].index("round")


def test_the_watcher_sees_each_change_once(empty):
    watcher = DatasetWatcher(empty.path)
    assert watcher.poll().arrived == ()
    review(empty, "a", 1)
    review(empty, "draft", 2, reviewed=False)
    assert [sample.stem for sample in watcher.poll().arrived] == ["a"]
    assert watcher.poll().arrived == ()
    review(empty, "draft", 2)
    assert [sample.stem for sample in watcher.poll().arrived] == ["draft"]
    review(empty, "a", 1, reviewed=False)
    assert watcher.poll().gone == ("a",)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5000)), min_size=1, max_size=20),
    st.floats(0, 1),
)
def test_new_and_bad_samples_are_drawn_more_and_old_ones_stay(samples, error):
    stems = [str(number) for number in range(len(samples))]
    errors = {stem: sample[0] for stem, sample in zip(stems, samples, strict=True)}
    drawn = {stem: sample[1] for stem, sample in zip(stems, samples, strict=True)}
    weights = sampling_weights(stems, errors, drawn)
    assert weights.sum() == pytest.approx(1)
    assert weights.min() * len(stems) > 0.1
    new = sampling_weights([*stems, "new"], errors | {"new": error}, drawn)
    assert all(
        new[-1] >= weight for weight, stem in zip(new, stems, strict=False) if errors[stem] <= error
    )


@given(st.integers(1, 9), st.integers(0, 9), st.floats(0, 0.9))
def test_old_samples_take_their_share_and_leave_the_rest_as_it_was(new, old, share):
    weights = sampling_weights([str(n) for n in range(new)], {"0": 1.0}, {})
    joined = with_remembered(weights, old, share)
    assert joined.sum() == pytest.approx(1)
    assert joined[new:].sum() == pytest.approx(share if old else 0)
    assert joined[:new] / joined[:new].sum() == pytest.approx(weights)


def test_what_is_remembered_is_nobody_s_image_and_has_veins_of_the_working_width(tiny):
    card = read_card(tiny)
    samples = remembered_samples(card, 4)
    assert 1 <= len(samples) <= 4
    for sample in samples:
        assert "\n" in sample.stem
        vein = sample.maps[1].numpy() >= 0.5
        assert median_width(vein.astype(np.uint8)) == pytest.approx(
            card.working_vein_width, rel=0.3
        )


@pytest.mark.parametrize(("base", "old"), [("tiny", 1), (None, 0)])
def test_only_what_begins_with_a_model_rehearses(empty, tiny, tmp_path, monkeypatch, base, old):
    learned = []
    make = sampling.WeightedCrops

    def spy(samples, *args, **how):
        learned.append({sample.stem for sample in samples})
        return make(samples, *args, **how)

    monkeypatch.setattr(sampling, "WeightedCrops", spy)
    how = HOW | {"base": base and tiny, "watch": True}
    run = start(tmp_path / "other", configure(empty, **how))
    _, lines = watched(run, lambda: review(empty, "a", 1))
    assert {len(stems - {"a"}) >= 1 for stems in learned} == {bool(old)}
    assert {line["pool"] for line in lines if line["event"] == "round"} == {1}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_what_is_handed_over_lies_between_what_was_known_and_what_was_learned(tiny, share):
    (_, base), (_, learned) = read_model(tiny), read_model(tiny)
    with torch.no_grad():
        for value in learned.state_dict().values():
            value += 1
    mixed = interpolate(base, learned, share).state_dict()
    for name, value in base.state_dict().items():
        expected = share if value.is_floating_point() else 1
        torch.testing.assert_close(mixed[name], value + expected, msg=name)
    assert not torch.equal(learned.state_dict()[name], value)  # left as it was


def test_events_come_back_as_they_were(run, empty):
    status, lines = watched(run, lambda: [review(empty, f"f{n}", n) for n in range(3)])
    for line in lines:
        event = from_line(line)
        if event:
            assert as_line(event) | {"seconds": line["seconds"]} == line
            assert isinstance(describe(event), str)
    assert from_line({"event": "arrival", "stem": 3}) is None
    of_an_earlier_release = {
        "event": "published",
        "version": 1,
        "path": "1",
        "learned_from": 2,
        "in_use": 0.5,
        "latest": 0.6,
        "by": "hold-out",
    }
    assert from_line(of_an_earlier_release).left_latest is None
    status.hear({"event": "arrival"})
    assert len(status.arrivals) == 3
