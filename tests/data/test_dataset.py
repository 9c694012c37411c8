import time
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.finger_groups import (
    NEAR_DUPLICATE,
    similarity,
    suggest_finger_pattern,
    thumbnail_spectrum,
)
from napari_veinseg.data.image_files import image_hash, write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.sample import Fault, Pair, read_pair, read_pairs
from napari_veinseg.data.samples_csv import is_stem, stem_from
from napari_veinseg.data.split import complete_split, crossing_fingers, leaking_groups, may_leak
from napari_veinseg.errors import Cancelled, VeinSegError, naming
from napari_veinseg.training.hold_out_leakage import thin_near_duplicates

SHAPE = (12, 20)


def image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, SHAPE, np.uint8)


def mask() -> np.ndarray:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[5:7] = 1
    return drawn


def bare(folder: Path, stems: list[str]) -> Path:
    for room in ("images", "masks"):
        (folder / room).mkdir(parents=True)
    for number, stem in enumerate(stems):
        write_image(folder / "images" / f"{stem}.png", image(number))
        write_mask(folder / "masks" / f"{stem}.png", mask())
    return folder


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in folder.rglob("*")
    }


def test_a_bare_folder_opens_and_is_never_written(tmp_path):
    folder = bare(tmp_path / "venös", ["ä_1", "ä_2", "b_1"])
    before = contents(folder)
    dataset = Dataset.open(folder)
    assert [sample.stem for sample in dataset] == ["b_1", "ä_1", "ä_2"]
    assert dataset.fingers == ()  # nothing is guessed from names
    assert may_leak(dataset)
    assert dataset.faults() == []
    assert Dataset.open(folder, r"^(.)_").fingers == ("b", "ä")
    assert contents(folder) == before


def test_added_samples_come_back_as_they_were(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    colour = np.random.default_rng(0).integers(0, 255, (*SHAPE, 3), np.uint8)
    dataset.add("one", colour, mask(), finger="left", reviewed=True, source="layer one")
    sample = Dataset.open(tmp_path / "set")["one"]
    np.testing.assert_array_equal(sample.image(), colour)
    np.testing.assert_array_equal(sample.mask(), mask())
    assert (sample.finger, sample.reviewed, sample.source) == ("left", True, "layer one")


def test_replacing_keeps_the_image_file_the_finger_and_the_split(tmp_path):
    folder = bare(tmp_path / "set", ["a", "b"])
    dataset = Dataset.open(folder)
    dataset.assign_split()
    split = dataset["a"].split
    corrected = mask()
    corrected[0] = 2
    with pytest.raises(VeinSegError, match="holds 'a' already"):
        dataset.add("a", image(0), corrected)
    dataset.add("a", image(0), corrected, replace=True)
    assert dataset["a"].image_path.name == "a.png"
    assert dataset["a"].split == split
    np.testing.assert_array_equal(dataset["a"].mask(), corrected)
    dataset.add("a", image(9), mask(), replace=True)
    np.testing.assert_array_equal(dataset["a"].image(), image(9))
    assert sorted(path.name for path in (folder / "images").iterdir()) == ["a.tif", "b.png"]
    assert sorted(path.name for path in (folder / "masks").iterdir()) == ["a.tif", "b.png"]


def test_foreign_labels_are_refused_by_their_name(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    with pytest.raises(VeinSegError, match=r"^finger: the mask holds the label 7, but a vein mask"):
        dataset.add("finger", image(), 7 * mask())
    with pytest.raises(VeinSegError, match=r"^finger is a stack"):
        dataset.add("finger", np.zeros((*SHAPE, 5, 3), np.uint8), mask())
    assert len(Dataset.open(tmp_path / "set")) == 0


def test_a_sentence_without_a_name_gets_one():
    with pytest.raises(VeinSegError, match=r"^a\.png: it is empty\.$"), naming("a.png"):
        raise VeinSegError("it is empty.")
    with pytest.raises(VeinSegError, match=r"^a\.png is empty\.$"), naming("a.png"):
        raise VeinSegError("a.png is empty.")
    with pytest.raises(Cancelled, match=r"^stopped$"), naming("a.png"):
        raise Cancelled("stopped")


def test_two_writers_lose_nothing(tmp_path):
    first, second = Dataset.create(tmp_path / "set"), Dataset.open(tmp_path / "set")
    first.add("a", image(), mask(), finger="x")
    second.add("b", image(), mask(), finger="y")
    first.add("c", image(), mask(), finger="x")
    assert {s.stem: s.finger for s in Dataset.open(tmp_path / "set")} == {
        "a": "x",
        "b": "y",
        "c": "x",
    }


def test_a_sample_that_two_files_claim_is_not_replaced(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    dataset.add("a", image(), mask())
    write_image(tmp_path / "set" / "images" / "a.png", image(1))
    before = contents(tmp_path / "set")
    with pytest.raises(VeinSegError, match=r"a\.png and a\.tif share a stem"):
        dataset.add("a", image(2), mask(), replace=True)
    assert contents(tmp_path / "set") == before


def test_what_another_viewer_has_stored_meanwhile_is_not_replaced(tmp_path):
    Dataset.create(tmp_path / "set")
    first, second = Dataset.open(tmp_path / "set"), Dataset.open(tmp_path / "set")
    first.add("001", image(1), mask(), replace=True, same_image=True)
    with pytest.raises(VeinSegError, match="another image called '001'"):
        second.add("001", image(2), mask(), replace=True, same_image=True)
    np.testing.assert_array_equal(Dataset.open(tmp_path / "set")["001"].image(), image(1))
    second.add("001", image(1), 1 - mask(), replace=True, same_image=True)
    np.testing.assert_array_equal(Dataset.open(tmp_path / "set")["001"].mask(), 1 - mask())


def test_an_image_that_waits_for_its_mask_is_no_free_name(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    waiting = dataset.path / "images" / "001.png"
    write_image(waiting, image(1))
    with pytest.raises(VeinSegError, match="another image called '001'"):
        dataset.add_reviewed("001", image(2), mask(), "corrected")
    dataset.add_reviewed("001", image(1), mask(), "corrected")
    assert Dataset.open(dataset.path)["001"].image_path == waiting


def test_the_split_is_kept_and_completed(tmp_path):
    folder = bare(tmp_path / "set", [f"{finger}_{shot}" for finger in "abcde" for shot in "123"])
    dataset = Dataset.open(folder, r"^(.)_")
    dataset.assign_split(seed=3)
    assert len(dataset.validation) == 3
    assert not may_leak(dataset)
    drawn = {sample.stem: sample.split for sample in dataset}
    for finger in "fghij":
        dataset.add(f"{finger}_1", image(), mask(), finger=finger)
    dataset.assign_split(seed=4)
    assert {stem: dataset[stem].split for stem in drawn} == drawn
    assert len({sample.finger for sample in dataset.validation}) == 2


@pytest.mark.parametrize(("count", "held_out"), [(1, 0), (2, 1), (5, 1), (10, 2)])
def test_without_fingers_the_split_goes_by_image(tmp_path, count, held_out):
    dataset = Dataset.open(bare(tmp_path / "set", [str(n) for n in range(count)]))
    dataset.assign_split()
    assert len(dataset.validation) == held_out
    assert len(dataset.train) == count - held_out
    assert may_leak(dataset)


def test_fingers_that_become_known_late_are_drawn_anew_and_no_others_move(tmp_path):
    folder = bare(tmp_path / "set", [f"{finger}_{shot}" for finger in "abcde" for shot in "123"])
    Dataset.open(folder).assign_split(seed=1)
    known = Dataset.open(folder, r"^(.)_")
    crossing = crossing_fingers(known)
    assert crossing
    before = {sample.stem: sample.split for sample in known}
    known.assign_split(seed=1)
    after = {sample.stem: sample.split for sample in Dataset.open(folder)}
    assert not may_leak(known)
    assert known.validation
    assert known.train
    assert {stem for stem in before if before[stem] != after[stem]} <= {
        sample.stem for sample in known if sample.finger in crossing
    }
    known.assign_split(seed=2)
    assert {sample.stem: sample.split for sample in known} == after


def test_one_known_finger_moves_nothing(tmp_path):
    folder = bare(tmp_path / "set", [f"a_{shot}" for shot in range(5)])
    dataset = Dataset.open(folder, r"^(.)_")
    dataset.assign_split()
    before = {sample.stem: sample.split for sample in dataset}
    dataset.assign_split(seed=7)
    assert {sample.stem: sample.split for sample in dataset} == before
    assert dataset.validation


groups_of_samples = st.dictionaries(
    st.integers(0, 60).map(str), st.sampled_from("abcdefgh"), min_size=1
)


@given(groups_of_samples, st.floats(0, 0.5), st.integers(0, 5), st.data())
def test_no_group_crosses_a_split_and_nothing_moves(groups, share, seed, data):
    first = complete_split(groups, {}, share, seed)
    assert first == complete_split(dict(reversed(groups.items())), {}, share, seed)
    assert not leaking_groups(groups, first)
    assert "train" in first.values()
    if share > 0 and len(set(groups.values())) > 1:
        assert "validation" in first.values()
    more = groups | data.draw(groups_of_samples)
    more |= groups
    second = complete_split(more, first, share, seed + 1)
    assert {stem: second[stem] for stem in first} == first
    assert not leaking_groups(more, second)


def test_every_fault_is_named_and_none_is_fatal(tmp_path):
    folder = bare(tmp_path / "set", ["good", "shape", "values", "empty", "damaged", "twice", "odd"])
    write_mask(folder / "masks" / "shape.png", mask()[:, :-1])
    write_image(folder / "masks" / "values.png", image())
    write_mask(folder / "masks" / "empty.png", 0 * mask())
    (folder / "images" / "damaged.png").write_bytes(b"\x89PNG\r\n nothing")
    write_image(folder / "images" / "twice.tif", image())
    write_image(folder / "images" / "alone.png", image())
    write_image(tmp_path / "secret.png", image(5))
    (folder / "images" / "odd.png").unlink()
    (folder / "images" / "odd.png").symlink_to(tmp_path / "secret.png")
    faults = {fault.stem: fault.message for fault in Dataset.open(folder).faults()}
    assert sorted(faults) == ["alone", "damaged", "empty", "odd", "shape", "twice", "values"]
    assert "no mask" in faults["alone"]
    assert "no vein" in faults["empty"]
    assert "link out of the dataset" in faults["odd"]


@pytest.mark.parametrize(
    ("image_name", "mask_name"),
    [
        ("j\u00fc.png", "ju\u0308.png"),  # composed, and as macOS stores it
        ("ju\u0308.png", "j\u00fc.tif"),
        ("a.png", "a_mask.png"),
        ("a.jpg", "a-Labels.tif"),
        ("a_mask.png", "a_mask.png"),
        ("a.b.png", "a.b.gt.png"),
    ],
)
def test_names_are_paired_as_people_write_them(tmp_path, image_name, mask_name):
    folder = bare(tmp_path / "set", ["b"])
    Image.fromarray(image(1)).save(folder / "images" / image_name)
    write_mask(folder / "masks" / mask_name, mask())
    dataset = Dataset.open(folder)
    assert dataset.left_out == []
    stem = normalize("NFC", Path(image_name).stem)
    assert stem in dataset
    dataset.assign_split()
    dataset.add(stem, image(2), mask(), replace=True)
    again = Dataset.open(folder)
    assert again.left_out == []
    assert len(again) == 2
    assert all(sample.split for sample in again)


def test_every_file_left_out_is_named_with_what_was_probably_meant(tmp_path):
    folder = bare(tmp_path / "set", ["good", "twice"])
    write_image(folder / "images" / "finger_01.png", image())
    write_mask(folder / "masks" / "finger_1.png", mask())
    write_mask(folder / "masks" / "twice_mask.png", mask())
    dataset = Dataset.open(folder)
    left_out = {fault.stem: fault.message for fault in dataset.left_out}
    assert [sample.stem for sample in dataset] == ["good"]
    assert sorted(left_out) == ["finger_01", "finger_1", "twice"]
    assert "finger_1.png has a similar name" in left_out["finger_01"]
    assert "finger_01.png has a similar name" in left_out["finger_1"]
    assert "twice.png and twice_mask.png share a stem" in left_out["twice"]


def test_a_pair_is_read_once_and_sound(tmp_path):
    folder = bare(tmp_path / "set", [str(number) for number in range(30)])
    write_mask(folder / "masks" / "3.png", 0 * mask())
    write_mask(folder / "masks" / "4.png", 2 + 0 * mask())
    write_mask(folder / "masks" / "5.png", 1 - mask())
    write_image(folder / "images" / "6.tif", np.stack([image(), image()]))
    (folder / "images" / "6.png").unlink()
    (folder / "masks" / "7.png").write_bytes(b"no picture")
    dataset = Dataset.open(folder)
    read = dict(zip((sample.stem for sample in dataset), read_pairs(dataset), strict=True))
    faulty = {stem for stem, each in read.items() if isinstance(each, Fault)}
    assert faulty == {"3", "4", "6", "7"} == {fault.stem for fault in dataset.faults()}
    pair = read["1"]
    np.testing.assert_array_equal(pair.image, image([*map(str, range(30))].index("1")))
    np.testing.assert_array_equal(pair.mask, mask())
    assert pair.image_hash == image_hash(pair.image)
    assert pair.vein_pixels == mask().sum()
    assert pair.warning == ""
    assert "5.png is 83 % vein" in read["5"].warning
    assert isinstance(read_pair(dataset["3"], needs_vein=False), Pair)
    assert isinstance(read_pair(dataset["4"], needs_vein=False), Fault)


def test_what_cannot_be_used_is_no_hold_out(tmp_path):
    dataset = Dataset.open(bare(tmp_path / "set", [str(number) for number in range(6)]))
    (held_out,) = {stem for stem, part in dataset.planned_split().items() if part == "validation"}
    usable = {sample.stem for sample in dataset} - {held_out}
    split = dataset.planned_split(usable=usable)
    assert set(split) == usable
    assert "validation" in split.values()
    dataset.assign_split(usable=usable)
    assert dataset[held_out].split == ""
    assert {sample.stem: sample.split for sample in dataset if sample.split} == split


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"stem,finger\n../../etc/passwd,x\n", "no file stem"),
        (b"stem\n/abs\n", "no file stem"),
        (b"stem\na\na\n", "twice"),
        (b"stem,split\na,test\n", "split 'test' is unknown"),
        (b"name,finger\na,b\n", "no column 'stem'"),
        (b"", "no column 'stem'"),
        (b"stem\n\xff\xfe\x00", "UTF-8"),
        (b'stem\n"a', "comma-separated"),
        (b"stem\n" + b"a" * 200_000, "comma-separated"),
    ],
)
def test_a_bad_samples_csv_is_refused_in_one_sentence(tmp_path, content, said):
    folder = bare(tmp_path / "set", ["a"])
    (folder / "samples.csv").write_bytes(content)
    with pytest.raises(VeinSegError, match=said):
        Dataset.open(folder)


def test_what_samples_csv_says_beyond_our_columns_is_kept(tmp_path):
    folder = bare(tmp_path / "set", ["a", "b"])
    text = "\ufeffstem,finger,sensor,split\r\na,=1+1,S1,validation\r\ngone,z,S2,train\r\n"
    (folder / "samples.csv").write_text(text, encoding="utf-8")
    dataset = Dataset.open(folder)
    assert (dataset["a"].finger, dataset["a"].split) == ("=1+1", "validation")
    assert [fault.stem for fault in dataset.faults()] == ["gone"]
    dataset.assign_split()
    written = (folder / "samples.csv").read_text(encoding="utf-8")
    assert "S1" in written
    assert "gone,z,train" in written


@pytest.mark.parametrize("name", ["a/b", "..", "", "x\ny", " padded ", "nul\0", "ä" * 500, ".h"])
def test_any_layer_name_becomes_a_stem(tmp_path, name):
    assert not is_stem(name)
    dataset = Dataset.create(tmp_path / "set")
    with pytest.raises(VeinSegError, match="cannot be the name"):
        dataset.add(name, image(), mask())
    dataset.add(stem_from(name), image(), mask())
    assert len(Dataset.open(tmp_path / "set")) == 1


@pytest.mark.parametrize("pattern", ["(", "abc"])
def test_a_useless_finger_pattern_is_refused(tmp_path, pattern):
    with pytest.raises(VeinSegError, match="finger pattern"):
        Dataset.open(bare(tmp_path / "set", ["a"]), pattern)


def test_a_finger_pattern_is_suggested_only_when_it_groups(tmp_path):
    assert suggest_finger_pattern(["anna_1", "anna_2", "bert_1"]) == r"^(.+)[_\-. ]\(?\d{1,3}\)?$"
    assert suggest_finger_pattern(["one", "two"]) is None
    assert suggest_finger_pattern(["a_1", "a_2"]) is None


def test_a_folder_of_something_else_is_refused(tmp_path):
    with pytest.raises(VeinSegError, match="no dataset"):
        Dataset.open(tmp_path)
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(VeinSegError, match="something else"):
        Dataset.create(tmp_path)


class Shot(NamedTuple):
    stem: str
    finger: str
    thumbnail: np.ndarray


def test_shifted_shots_are_thinned_within_a_finger_only(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    smooth = np.cumsum(np.random.default_rng(1).normal(size=(64, 128)), axis=1)
    other = np.cumsum(np.random.default_rng(2).normal(size=(64, 128)), axis=1)
    drawn = np.ones((64, 128), np.uint8)
    for stem, shot, finger in [
        ("a1", smooth, "a"),
        ("a2", np.roll(smooth, 4, axis=1), "a"),
        ("a3", other, "a"),
        ("b1", smooth, "b"),
        ("x1", smooth, ""),
        ("x2", smooth, ""),
    ]:
        dataset.add(stem, shot, drawn, finger=finger)
    shots = [Shot(s.stem, s.finger, thumbnail_spectrum(s.image())) for s in dataset]
    assert [shot.stem for shot in thin_near_duplicates(shots)] == ["a1", "a3", "b1", "x1", "x2"]


@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_a_pixel_without_a_number_hides_no_near_duplicate(gap):
    shot = np.cumsum(np.random.default_rng(1).normal(size=(64, 128)), axis=1)
    holed = shot.copy()
    holed[20, 30] = gap
    assert similarity(thumbnail_spectrum(holed), thumbnail_spectrum(shot)) >= NEAR_DUPLICATE


def test_litter_of_a_killed_writer_is_swept(tmp_path):
    import os

    dataset = Dataset.create(tmp_path / "set")
    litter = tmp_path / "set" / "images" / ".a-x1y2z3w4.tmp.tif"
    litter.touch()
    os.utime(litter, (0, 0))
    dataset.add("a", image(), mask())
    assert not litter.exists()


def test_five_thousand_samples_open_at_once(tmp_path):
    for room in ("images", "masks"):
        (tmp_path / room).mkdir()
        for number in range(5000):
            (tmp_path / room / f"finger_{number}.png").touch()
    begin = time.process_time()
    assert len(Dataset.open(tmp_path, r"^(.+)_")) == 5000
    # Ten times what it needs; a file opened for each sample would break it.
    assert time.process_time() - begin < 2


def test_an_image_with_gaps_is_the_same_when_it_is_reviewed_again(tmp_path):
    image = np.full((40, 50), 7.5, np.float32)
    image[:9] = np.nan
    for room in ("images", "masks"):
        (tmp_path / room).mkdir()
    write_image(tmp_path / "images" / "a.tif", image)
    for vein in (0, 1):
        mask = np.full(image.shape, vein, np.uint8)
        Dataset.open(tmp_path).add_reviewed("a", image, mask, "drawn")
        assert (Dataset.open(tmp_path)["a"].mask() == vein).all()
