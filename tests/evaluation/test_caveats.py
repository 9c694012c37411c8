import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import image_hash, write_image
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.data.mask_source import as_drawn_source, corrected_source
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation import data_leakage
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.contenders import (
    MaskFolder,
)
from napari_veinseg.evaluation.report.write_report import evaluate
from napari_veinseg.evaluation.summary import differences
from tests.evaluation.reports import (
    PATTERN,
    SHAPE,
    first_caveat,
    lead,
    make_dataset,
    model,
    split_by_image,
)


@pytest.mark.parametrize(
    ("pattern", "caveat"),
    [
        (None, "not all known"),
        (r"^(fïn)", "All 12 images are of one subject"),
        (r"^(fïnger[0-3])", "not all known"),
    ],
)
def test_a_report_says_what_the_fingers_allow(folder, tmp_path, pattern, caveat):
    evaluate(Dataset.open(folder, pattern), [model()], tmp_path)
    text = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert any(caveat in sentence for sentence in text["caveats"])
    assert any("too narrow" in sentence for sentence in text["caveats"])


@pytest.mark.parametrize(("fingers", "said"), [(5, True), (10, True), (11, False)])
def test_intervals_of_few_fingers_are_called_too_narrow(tmp_path, fingers, said):
    folder = make_dataset(tmp_path / "data", fingers=fingers, shots=1)
    evaluate(Dataset.open(folder, PATTERN), [model()], tmp_path / "out")
    text = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    narrow = f"The 95 % intervals come from {fingers} subjects and are too narrow"
    assert any(sentence.startswith(narrow) for sentence in text["caveats"]) == said


def test_it_is_the_fingers_that_count_that_intervals_need(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=6, shots=3)
    dataset = Dataset.open(folder, PATTERN)
    learned = [image_hash(s.image()) for s in dataset if s.finger in ("fïnger0", "fïnger1")]
    evaluate(dataset, [model(hashes=learned)], tmp_path / "out")
    text = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert any("The subjects are only 4, " in sentence for sentence in text["caveats"])


@pytest.mark.parametrize(
    ("of_one", "of_other", "said"),
    [
        (8, 4, "The subjects are only 4, "),  # with more images than the other
        (5, 2, "The subjects are only 2, "),
        (11, 7, "The 95 % intervals come from 7 subjects"),
        (4, 8, "The 95 % intervals come from 8 subjects"),  # the one has no intervals at all
    ],
)
def test_intervals_are_called_too_narrow_by_the_contender_of_fewest_fingers(
    tmp_path, of_one, of_other, said
):
    """Each has learned all that the other is judged on: one shot a finger, and three a finger."""
    folder = make_dataset(tmp_path / "data", fingers=of_one + of_other, shots=3)
    fingers = [f"fïnger{number}" for number in range(of_one + of_other)]
    for path in [*folder.rglob("*_1.png"), *folder.rglob("*_2.png")]:
        if path.stem.rpartition("_")[0] in fingers[:of_one]:
            path.unlink()
    hashes = {s.stem: image_hash(s.image()) for s in Dataset.open(folder, PATTERN)}
    first = {stem for stem in hashes if stem.rpartition("_")[0] in fingers[:of_one]}
    one = model("one", hashes=[hashes[stem] for stem in set(hashes) - first])
    other = model("other", hashes=[hashes[stem] for stem in first])
    evaluate(Dataset.open(folder, PATTERN), [one, other], tmp_path / "out")
    text = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    narrow = [sentence for sentence in text["caveats"] if "too narrow" in sentence]
    assert len(narrow) == 1
    assert said in narrow[0]


def test_shots_of_one_finger_are_suspected_by_name_and_truth(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=1, shots=3)
    shutil_copy = (folder / "masks/fïnger0_0.png").read_bytes()
    (folder / "masks/fïnger0_1.png").write_bytes(shutil_copy)
    evaluate(Dataset.open(folder), [model()], tmp_path / "out")
    said = " ".join(json.loads((tmp_path / "out/summary.json").read_text("utf-8"))["caveats"])
    assert "All 3 names begin with 'fïnger0'" in said
    assert "only 2 different truths" in said


@pytest.mark.parametrize(("fingers", "said"), [(3, False), (1, True)])
def test_a_hint_comes_from_real_names_and_does_not_tell_them(tmp_path, fingers, said):
    folder = make_dataset(tmp_path / "data", fingers=fingers, shots=3)
    evaluate(Dataset.open(folder), [model()], tmp_path / "out", pseudonyms=True)
    caveats = " ".join(json.loads((tmp_path / "out/summary.json").read_text("utf-8"))["caveats"])
    assert ("names begin alike" in caveats) == said
    assert "names begin with" not in caveats


@pytest.mark.parametrize(("share", "said"), [(0.25, None), (0.4, "or more"), (0.75, "half in 1")])
def test_what_truths_leave_open_is_told(tmp_path, share, said):
    folder = make_dataset(tmp_path / "data", fingers=5, shots=1)
    path = folder / "masks" / "fïnger2_0.png"
    mask = read_mask(path)
    vein = np.argwhere(mask == 1)
    mask[tuple(vein[: round(share * len(vein))].T)] = 2
    write_mask(path, mask)
    evaluate(Dataset.open(folder, PATTERN), [model()], tmp_path / "out")
    with (tmp_path / "out/per_image.csv").open(encoding="utf-8") as file:
        told = {row["stem"]: float(row["truth_unsure_share"]) for row in csv.DictReader(file)}
    assert told.pop("fïnger2_0") == pytest.approx(share, abs=0.01)
    assert set(told.values()) == {0.0}
    caveat = "30% or more is unsure in 1 of the 5 truths"
    assert (caveat in lead(tmp_path / "out")) == (said is not None)
    assert said is None or said in lead(tmp_path / "out")


def test_inverted_masks_are_told_before_the_figures(tmp_path):
    folder = make_dataset(tmp_path / "data")
    inverted = tmp_path / "masks"
    inverted.mkdir()
    for path in (folder / "masks").iterdir():
        write_mask(inverted / path.name, 1 - read_mask(path))
    second = MaskFolder("second", inverted)
    evaluate(Dataset.open(folder, PATTERN), [second, model()], tmp_path / "one")
    assert "Check all 12 masks of 'second' (" in first_caveat(tmp_path / "one")
    assert "truths" not in first_caveat(tmp_path / "one")
    for path in inverted.iterdir():
        path.replace(folder / "masks" / path.name)
    evaluate(Dataset.open(folder, PATTERN), [model()], tmp_path / "two")
    assert "Check all 12 truths (" in first_caveat(tmp_path / "two")


def test_masks_that_count_from_1_are_no_truths(tmp_path):
    """Read as they are, all that is background would be vein, and all veins unsure."""
    folder = make_dataset(tmp_path / "data")
    shifted, *others = sorted((folder / "masks").iterdir())
    write_image(shifted, read_mask(shifted) + 1)
    evaluate(Dataset.open(folder, PATTERN), [model()], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "holds 1 and 2 but no 0" in page
    for path in others:
        write_image(path, read_mask(path) + 1)
    with pytest.raises(VeinSegError, match="ilastik"):
        evaluate(Dataset.open(folder, PATTERN), [model()], tmp_path / "none")


def test_who_has_no_figures_does_not_change_what_intervals_are_of(folder, tmp_path):
    dataset = Dataset.open(folder, PATTERN)
    knows_all = model("knows", hashes=[image_hash(sample.image()) for sample in dataset])
    evaluate(dataset, [model(), knows_all], tmp_path / "out")
    assert "bootstrap draws of 6 subjects;" in (tmp_path / "out/report.html").read_text(
        encoding="utf-8"
    )


def test_a_late_finger_pattern_does_not_hide_a_split_by_image(tmp_path):
    dataset = split_by_image(make_dataset(tmp_path / "data"))
    learned = tuple(image_hash(sample.image()) for sample in dataset.train)
    evaluate(dataset, [model("knows", hashes=learned), model("new")], tmp_path / "out")
    said = lead(tmp_path / "out")
    assert said.index("figures of 'knows' for those of new subjects") < said.index(
        "Evaluated: the hold-out, 6 of the dataset's 12 images."
    )
    assert "other shots of all 6 evaluated subjects" in said
    assert "figures of 'new'" not in said
    assert "all 6 held-out subjects are in the training part" in said


def test_a_split_by_finger_is_not_doubted(tmp_path):
    dataset = split_by_image(make_dataset(tmp_path / "data", fingers=24, shots=1))
    stems = [
        f"{s.stem},{s.finger},{'train' if s.finger < 'fïnger2' else 'validation'},yes,"
        for s in dataset
    ]
    (dataset.path / "samples.csv").write_text(
        "\n".join(["stem,finger,split,reviewed,source", *stems]), encoding="utf-8"
    )
    dataset = Dataset.open(dataset.path)
    learned = tuple(image_hash(sample.image()) for sample in dataset.train)
    comparison, _ = evaluate(dataset, [model(hashes=learned), model("b", 0.6)], tmp_path / "out")
    assert caveats(comparison) == []


@pytest.mark.parametrize("pseudonyms", [False, True])
def test_truths_that_nobody_corrected_are_told_whatever_competes(tmp_path, pseudonyms):
    dataset = Dataset.open(make_dataset(tmp_path / "data"), PATTERN)
    sample = next(iter(dataset))
    source = as_drawn_source("starter")
    dataset.add(sample.stem, sample.image(), sample.mask(), replace=True, source=source)
    how = {"everything": True, "pseudonyms": pseudonyms}
    evaluate(Dataset.open(dataset.path, PATTERN), [model()], tmp_path / "out", **how)
    assert first_caveat(tmp_path / "out").startswith(
        f"1 of the {len(dataset)} true masks is just as 'starter' drew it, reviewed but not "
    )


def test_only_truths_that_figures_are_made_of_are_said_to_come_from_a_model(tmp_path):
    dataset = Dataset.open(make_dataset(tmp_path / "data"), PATTERN)
    learned, *judged = dataset
    for sample in (learned, judged[0]):
        source = corrected_source("dark")
        dataset.add(sample.stem, sample.image(), sample.mask(), replace=True, source=source)
    knows = model(hashes=[image_hash(learned.image())])
    evaluate(Dataset.open(dataset.path, PATTERN), [knows], tmp_path / "out", everything=True)
    assert f"1 of the {len(judged)} true masks was corrected from a mask" in lead(tmp_path / "out")


def test_twins_across_the_split_and_copies_are_told(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=6, shots=2)
    images = folder / "images"
    (images / "fïnger0_1.png").write_bytes((images / "fïnger3_0.png").read_bytes())
    (images / "fïnger3_1.png").write_bytes((images / "fïnger2_0.png").read_bytes())
    near = np.asarray(Image.open(images / "fïnger4_0.png")).astype(int) + 1
    Image.fromarray(near.clip(0, 255).astype(np.uint8)).save(images / "fïnger1_1.png")
    (images / "fïnger5_1.png").write_bytes((images / "fïnger2_1.png").read_bytes())
    evaluate(split_by_image(folder), [model()], tmp_path / "out")
    said = lead(tmp_path / "out")
    assert first_caveat(tmp_path / "out").startswith(
        "Check images and masks: 2 of the 6 images have the very pixels of a training image, but "
        "a different mask (evaluated and training: fïnger0_1 and fïnger3_0; fïnger3_1 and "
        "fïnger2_0)."
    )
    with (tmp_path / "out/per_image.csv").open(encoding="utf-8") as file:
        ious = {row["stem"]: float(row["vein_iou"]) for row in csv.DictReader(file)}
    rest = np.mean([ious[stem] for stem in ious if stem not in ("fïnger0_1", "fïnger3_1")])
    instead = f"{rest:.3f} instead of {np.mean(list(ious.values())):.3f} for 'dark'"
    assert f"Without these images the mean vein IoU is {instead}" in said
    assert "1 of the 6 images has the very pixels of another one, but a different mask" in said
    assert "(evaluated and training: fïnger1_1 and fïnger4_0)" in said
    assert "1 of the 6 images is a copy of another one" in said
    assert "No contender is known to have learned from that part" in said
    evaluate(split_by_image(folder), [model()], tmp_path / "anonymous", pseudonyms=True)
    assert "fïnger" not in (tmp_path / "anonymous/report.html").read_text(encoding="utf-8")


def test_one_model_under_two_names_is_told(folder, tmp_path):
    contenders = [model("mine"), model("base"), model("other", 0.6)]
    evaluate(Dataset.open(folder, PATTERN), contenders, tmp_path)
    said = lead(tmp_path)
    assert "'mine' and 'base' score exactly alike on every image" in said
    assert "'other'" not in said


def test_more_than_two_alike_are_listed_and_who_finds_nothing_is_not_alike(folder, tmp_path):
    names = ("mine", "base", "copy")
    beside = tmp_path / "beside"
    beside.mkdir()
    for number, stem in enumerate(path.stem for path in (folder / "masks").iterdir()):
        mask = np.zeros(SHAPE, np.uint8)
        mask[:3, number] = 1  # where no truth has a vein
        write_mask(beside / f"{stem}.png", mask)
    lost = [MaskFolder(name, beside) for name in ("lost", "astray")]
    evaluate(Dataset.open(folder, PATTERN), [*map(model, names), *lost], tmp_path / "out")
    assert "'mine', 'base' and 'copy' score exactly alike" in lead(tmp_path / "out")
    assert "'lost'" not in lead(tmp_path / "out")


def test_a_copy_of_the_truth_is_told(tmp_path):
    folder = make_dataset(tmp_path / "data")
    dataset = Dataset.open(folder, PATTERN)
    copied = shutil.copytree(folder / "masks", tmp_path / "copied")
    evaluate(dataset, [MaskFolder("second", copied), model()], tmp_path / "out")
    assert "The masks of 'second' are the truths, pixel by pixel" in lead(tmp_path / "out")
    for sample in dataset:
        drawn = model().predict(sample, sample.image()).mask
        write_mask(copied / f"{sample.stem}.png", drawn)
        write_mask(sample.mask_path, drawn)
    evaluate(dataset, [model()], tmp_path / "drawn")
    assert "The masks of 'dark' are the truths, pixel by pixel" in lead(tmp_path / "drawn")
    changed = copied / "fïnger0_0.png"
    write_mask(changed, np.roll(read_mask(changed), 1, axis=0))
    evaluate(dataset, [MaskFolder("second", copied)], tmp_path / "out")
    assert "are the truths" not in lead(tmp_path / "out")


def test_whose_subject_is_not_known_is_named(folder, tmp_path):
    evaluate(Dataset.open(folder, r"^((?!fïnger0_1).+)_\d+$"), [model()], tmp_path)
    assert "The subjects are not all known (fïnger0_1), and intervals" in lead(tmp_path)


def test_what_was_too_much_to_compare_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(data_leakage, "_MOST_COMPARED", 35)
    folder = make_dataset(tmp_path / "data", fingers=6, shots=2)
    images = folder / "images"
    (images / "fïnger0_1.png").write_bytes((images / "fïnger3_0.png").read_bytes())
    evaluate(split_by_image(folder), [model()], tmp_path / "out")
    said = lead(tmp_path / "out")
    assert "was not looked at: 36 pairs are too many" in said
    assert "1 of the 6 images has the very pixels of" in said


def test_the_worst_is_said_first(tmp_path):
    """A leak goes before contenders that are alike, and these before few images."""
    folder = make_dataset(tmp_path / "data", fingers=3, shots=2)
    dataset = split_by_image(folder)
    learned = tuple(image_hash(sample.image()) for sample in dataset.train)
    evaluate(dataset, [model("knows", hashes=learned), model("new")], tmp_path / "out")
    said = lead(tmp_path / "out")
    order = ("for those of new subjects", "The split went by image", "exactly alike", "Do not rank")
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert "in the training part, too; 'knows' learned from that part." in said


def test_fingers_that_are_shared_may_not_only_be_shared(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=6, shots=2)
    split_by_image(folder)
    evaluate(Dataset.open(folder), [model()], tmp_path / "apart")
    assert "Training and hold-out may share subjects" in lead(tmp_path / "apart")
    images = folder / "images"
    (images / "fïnger0_1.png").write_bytes((images / "fïnger0_0.png").read_bytes())
    evaluate(Dataset.open(folder), [model()], tmp_path / "shared")
    assert "Training and hold-out share subjects" in lead(tmp_path / "shared")


def test_an_annotator_who_doubts_everything_is_found_out(folder, tmp_path):
    for path in (folder / "masks").iterdir():
        write_mask(tmp_path / path.name, np.full(SHAPE, 2, np.uint8))
    doubter = MaskFolder("doubter", tmp_path)
    _, (summary, _) = evaluate(Dataset.open(folder, PATTERN), [doubter, model()], tmp_path / "out")
    assert summary.mean_of_images["vein_iou"].value == 0
    assert summary.mean_of_images["cldice"].value == 0
    assert summary.pooled["dice"] == 0
    said = lead(tmp_path / "out")
    assert "'doubter' decides nothing: it leaves 100.0% of the pixels unsure" in said
    assert said.count("'doubter'") == 1, "one caveat says it all"
    assert "'dark' marks no vein" not in said
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "Bold" not in page, "one contender is left"
    assert "Paired differences" not in page


def test_contenders_are_ranked_on_the_same_images_or_not_at_all(folder, tmp_path):
    dataset = Dataset.open(folder, PATTERN)
    hashes = [image_hash(sample.image()) for sample in dataset]
    one, other = model("first", hashes=tuple(hashes[:6])), model("second", 0.8, tuple(hashes[6:]))
    comparison, _ = evaluate(dataset, [one, other], tmp_path / "apart")
    page = (tmp_path / "apart/report.html").read_text(encoding="utf-8")
    assert not comparison.same_images
    assert differences(comparison) == []
    assert 'class="best"' not in page
    assert first_caveat(tmp_path / "apart").startswith("Do not compare the contenders")
    assert "6 of the 12 images are left out of the figures of 'first'" in lead(tmp_path / "apart")

    comparison, summaries = evaluate(
        dataset, [model("first", hashes=tuple(hashes[:4])), model("second", 0.8)], tmp_path / "same"
    )
    assert [each.images for each in summaries] == [8, 8]
    with (tmp_path / "same/per_image.csv").open(encoding="utf-8") as file:
        counting = [row["counts"] for row in csv.DictReader(file) if row["model"] == "second"]
    assert counting == ["no"] * 4 + ["yes"] * 8
    assert "compared on the 8 images that are new to all" in lead(tmp_path / "same")


def test_who_has_no_figures_is_named(folder, tmp_path):
    dataset = Dataset.open(folder, PATTERN)
    known = tuple(image_hash(sample.image()) for sample in dataset.samples)
    evaluate(dataset, [model("knows all", hashes=known), model("new", 0.8)], tmp_path / "out")
    told = lead(tmp_path / "out")
    assert "No figures of knows all: trained on all that could be judged." in told
    assert "The figures are of" not in told  # all that others were judged on


def test_few_images_that_are_new_are_few_images(folder, tmp_path):
    dataset = Dataset.open(folder, PATTERN)
    known = tuple(image_hash(sample.image()) for sample in dataset.samples[:10])
    evaluate(dataset, [model("knows", hashes=known), model("new", 0.8)], tmp_path / "out")
    assert "means of 2 images, too few for intervals" in first_caveat(tmp_path / "out")
    assert "The figures are of 2 of them." in lead(tmp_path / "out")
    facts = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))["dataset"]
    assert facts["Images"].startswith("2; 10 more are left out")


@pytest.mark.parametrize(
    ("contenders", "shots", "bold"),
    [
        ([model("a"), model("b", 0.8)], 6, True),
        ([model("a"), model("b", 0.8)], 2, False),
        ([model("a")], 6, False),
        ([model("a"), model("b")], 6, False),
    ],
)
def test_bold_and_colour_obey_the_warning(tmp_path, contenders, shots, bold):
    folder = make_dataset(tmp_path / "data", fingers=shots, shots=1)
    evaluate(Dataset.open(folder, PATTERN), contenders, tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert ('class="best"' in page) == ("Bold: best of a column" in page) == bold
    assert not re.search(r'class="apart"', page) or bold
    alike = len({each.model.threshold for each in contenders}) == 1 < len(contenders)
    assert ("they are equal there" in page) == ("identical on every image" in page) == alike
    assert "+0.000" not in page or not alike


@pytest.mark.parametrize("pattern", [None, PATTERN])
def test_two_images_tell_no_difference(tmp_path, pattern):
    folder = make_dataset(tmp_path / "data", fingers=2, shots=1)
    evaluate(Dataset.open(folder, pattern), [model(), model("worse", 0.9)], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert 'class="apart"' not in page
    assert 'class="interval"' not in page
    assert "too few for intervals" in lead(tmp_path / "out")
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["models"]["dark"]["vein_iou_mean_of_images"]["low"] is None
