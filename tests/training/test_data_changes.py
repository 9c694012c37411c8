"""What a run does about data that mislead: leaks, changes between sittings, what is left out."""

import shutil

import numpy as np
import pytest

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import image_hash
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.file import read_card
from napari_veinseg.training.dataset_survey import survey
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import go_on
from tests.training.test_train import StopAt, status_of, trained


def start_of(run) -> dict:
    return status_of(run).start


def add(dataset, stem, seed, finger="", **how):
    made = synthetic_finger(seed, shape=(60, 80))
    return dataset.add(stem, made.image, made.mask, finger=finger, **how)


def held_out(dataset) -> str:
    (sample,) = Dataset.open(dataset.path).validation
    return sample.stem


def test_images_that_the_base_was_trained_on_are_no_hold_out(dataset, tiny, tmp_path):
    first = trained(dataset, tiny, tmp_path / "first", epochs=1, output=tmp_path / "m.safetensors")
    copied = Dataset.create(tmp_path / "copied")
    learned = Dataset.open(dataset.path).train[0].stem
    lines = ["stem,finger,split,reviewed,source"]
    for sample in dataset:
        copied.add(sample.stem, sample.image(), sample.mask(), finger=sample.finger)
        side = "validation" if sample.stem == learned else "train"
        lines.append(f"{sample.stem},{sample.finger},{side},no,")
    (copied.path / "samples.csv").write_text("\n".join(lines))
    run = trained(copied, first.last, tmp_path / "second", epochs=1)
    start = start_of(run)
    assert start["validation"]["images"] == 0
    assert start["validation"]["seen"] == 1
    before = survey(copied.path, base=first.last)
    assert (before.train, before.judged) == (start["train"]["images"], 0)
    assert before.seen in start["caveats"]
    assert "is judged on none" in str(before)
    assert survey(copied.path).judged == 1
    assert "last was trained on the only held-out image" in " ".join(start["caveats"])
    assert status_of(run).scores == {}


def test_a_model_remembers_what_every_sitting_learned_from(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=4, should_stop=StopAt(9))
    gone = Dataset.open(dataset.path).train[0]
    old = image_hash(gone.image())
    gone.image_path.unlink()
    gone.mask_path.unlink()
    new = image_hash(add(dataset, "new_1", 77, "f9").image())
    go_on(Run.open(run.path))
    assert {old, new} <= {*read_card(run.last).training_data.image_hashes}


def test_the_same_pixels_under_two_names_stay_on_one_side(dataset, tiny, tmp_path):
    dataset.assign_split()
    held = dataset[held_out(dataset)]
    dataset.add("twin", held.image(), held.mask(), finger="another")
    run = trained(dataset, tiny, tmp_path / "run", epochs=1)
    told = " ".join(start_of(run)["faults"])
    assert f"twin has the same pixels as {held.stem}" in told
    before, start = survey(dataset.path), start_of(run)
    assert before.train == start["train"]["images"]
    assert before.judged == start["validation"]["images"]
    assert told == " ".join(fault.message for fault in before.faults)
    hashes = read_card(run.last).training_data.image_hashes
    assert image_hash(held.image()) not in hashes


def test_shots_that_look_alike_across_the_split_are_a_caveat(dataset, tiny, tmp_path):
    dataset.assign_split()
    held = dataset[held_out(dataset)]
    shifted = np.roll(held.image(), 2, axis=1)
    dataset.add("again", shifted, np.roll(held.mask(), 2, axis=1), finger="another")
    caveats = " ".join(start_of(trained(dataset, tiny, tmp_path / "run", epochs=1))["caveats"])
    assert f"{held.stem} like again" in caveats


def test_shots_of_a_subject_that_is_named_late_are_on_one_side(tiny, tmp_path):
    dataset = Dataset.create(tmp_path / "late")
    for number in range(8):
        add(dataset, f"{'abcd'[number // 2]}_{number}", number)
    dataset.assign_split()
    sides = {sample.split: sample.stem[0] for sample in dataset}
    assert any(sample.stem[0] == sides["validation"] for sample in dataset.train)
    before = survey(dataset.path, finger_pattern=r"^(.)_")
    run = trained(dataset, tiny, tmp_path / "run", epochs=1, finger_pattern=r"^(.)_")
    drawn, start = Dataset.open(dataset.path), start_of(run)
    learned, held = ({s.finger for s in part} for part in (drawn.train, drawn.validation))
    assert held
    assert not learned & held
    assert not start["optimistic"]
    assert "before it was known" in " ".join(start["caveats"])
    assert not before.optimistic
    assert (before.train, before.judged) == (len(drawn.train), start["validation"]["images"])


def test_the_hold_out_is_drawn_among_what_can_be_used(dataset, tiny, tmp_path):
    planned = dataset.planned_split()
    (stem,) = (stem for stem, side in planned.items() if side == "validation")
    dataset[stem].image_path.write_bytes(b"no image")
    run = trained(dataset, tiny, tmp_path / "run", epochs=1)
    assert start_of(run)["validation"]["images"] == 1
    assert held_out(dataset) != stem


def test_every_file_left_out_is_told(dataset, tiny, tmp_path):
    images, masks = (dataset.path / name for name in ("images", "masks"))
    shutil.copy(dataset["f0_1"].image_path, images / "lonely.tif")
    shutil.copy(dataset["f0_1"].mask_path, masks / "widow.tif")
    told = start_of(trained(dataset, tiny, tmp_path / "run", epochs=1))["faults"]
    assert any("lonely.tif" in sentence for sentence in told)
    assert any("widow.tif" in sentence for sentence in told)
    assert {fault.message for fault in survey(dataset.path).faults} == {*told}


def test_a_mask_that_is_mostly_vein_is_told(dataset, tiny, tmp_path):
    sample = dataset["f0_1"]
    write_mask(sample.mask_path, (sample.mask() != 1).astype(np.uint8))
    told = start_of(trained(dataset, tiny, tmp_path / "run", epochs=1))
    assert "% vein" in " ".join([*told["caveats"], *told["faults"]])
    assert "% vein" in str(survey(dataset.path))


def test_a_dataset_that_cannot_be_written_is_learned_from(dataset, tiny, tmp_path, monkeypatch):
    def refused(*_, **__):
        raise VeinSegError(f"{dataset.path} was not written (Read-only file system): check rights.")

    monkeypatch.setattr(Dataset, "assign_split", refused)
    run = trained(dataset, tiny, tmp_path / "run", epochs=2, should_stop=StopAt(9))
    assert "Read-only" in " ".join(start_of(run)["caveats"])
    assert not any(sample.split for sample in Dataset.open(dataset.path))
    first = set(status_of(run).per_image[0])
    for seed in range(5):
        add(dataset, f"new{seed}_1", 100 + seed, f"new{seed}")
    go_on(Run.open(run.path))
    assert first <= set(status_of(run).per_image[max(status_of(run).per_image)])
    assert not any(sample.split for sample in Dataset.open(dataset.path))


def test_nothing_is_decoded_twice(dataset, tiny, tmp_path, monkeypatch):
    import napari_veinseg.data.sample as sample_module

    read = []
    for name in ("read_image", "read_mask", "read_drawn_mask"):
        original = getattr(sample_module, name)
        monkeypatch.setattr(
            sample_module, name, lambda path, original=original: read.append(path) or original(path)
        )
    trained(dataset, tiny, tmp_path / "run", thin=True, epochs=2)
    assert sorted(read) == sorted(p for s in dataset for p in (s.image_path, s.mask_path))


def test_one_process_at_a_time_trains_a_run(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", epochs=1)
    with run.locked(), pytest.raises(VeinSegError, match="Another process is training"):
        go_on(Run.open(run.path))
    go_on(Run.open(run.path))


def test_what_learned_nothing_does_not_refuse_the_same_command(dataset, tiny, tmp_path):
    run = Run.create(tmp_path / "run", trained(dataset, tiny, tmp_path / "x", epochs=1).config)
    run.tell({"event": "start"})
    with run.locked(), pytest.raises(VeinSegError, match="Another process"):
        trained(dataset, tiny, tmp_path / "run", epochs=1)
    trained(dataset, tiny, tmp_path / "run", epochs=1)
    with pytest.raises(VeinSegError, match="holds something"):
        trained(dataset, tiny, tmp_path / "run", epochs=1)


def test_a_stopped_clock_does_not_eat_the_budget(monkeypatch):
    from napari_veinseg.training import work_clock

    now = [0.0]
    monkeypatch.setattr(work_clock.time, "perf_counter", lambda: now[0])
    watch = work_clock.WorkClock(5.0)
    for pause in (0.1, 3600, 0.2, 8 * 3600, 0.3):
        now[0] += pause
        watch.tick()
    assert watch.seconds < 5.6 + 2 * work_clock._LONGEST_TICK + 1e-6


def test_images_that_are_all_the_same_are_learned_from(dataset, tiny, tmp_path):
    copies = Dataset.create(tmp_path / "copies")
    sample = dataset["f0_1"]
    for stem in "abc":
        copies.add(stem, sample.image(), sample.mask())
    start = start_of(trained(copies, tiny, tmp_path / "run", epochs=1))
    assert (start["train"]["images"], start["validation"]["images"]) == (2, 0)
    assert "is not validated on" in " ".join(start["faults"])
