import csv
import html
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import image_hash
from napari_veinseg.data.mask_files import read_mask, write_mask
from napari_veinseg.data.mixed_folders import list_masks
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.comparison import compare
from napari_veinseg.evaluation.contenders import (
    Baseline,
    MaskFolder,
    Model,
    gather_contenders,
)
from napari_veinseg.evaluation.report.examples import choose_examples
from napari_veinseg.evaluation.report.write_report import REPORT_FILES, evaluate
from napari_veinseg.evaluation.selection import select
from napari_veinseg.evaluation.summary import TO_CORRECT, differences, summarise, worst_first
from napari_veinseg.model.card import ModelCard, TrainingData
from napari_veinseg.segmentation.settings import SegmentationSettings
from tests.evaluation.reports import (
    PATTERN,
    SHAPE,
    Threshold,
    lead,
    make_dataset,
    model,
    split_by_image,
)


def test_a_report_is_whole_and_self_contained(folder, tmp_path):
    before = sorted(path.name for path in folder.rglob("*"))
    contenders = [
        model(),
        model("darker", 0.8),
        MaskFolder("second annotator", folder / "masks"),
        Baseline("maximum curvature"),
    ]
    output = tmp_path / "new" / "report"
    _, summaries = evaluate(Dataset.open(folder, PATTERN), contenders, output)
    assert sorted(path.name for path in folder.rglob("*")) == before

    page = (output / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    targets = re.findall(r'href="#([^"]+)', page)
    assert targets
    assert all(f'id="{target}"' in page for target in targets)
    # The SVG's namespaces are names; nothing is loaded from them.
    assert not re.findall(r"url\((?!#)|@import|<link", page)
    for name in ("dark", "darker", "second annotator", "maximum curvature", "dätaset"):
        assert name in page
    assert str(tmp_path) not in page
    assert str(folder.parent) not in page

    assert {path.name for path in output.iterdir()} == set(REPORT_FILES)
    for plot in output.glob("*.svg"):
        svg = plot.read_text(encoding="utf-8")
        assert svg in page
        assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert "(n = 12)" in (output / "iou_distribution.svg").read_text(encoding="utf-8")

    with (output / "per_image.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:3] == ["stem", "model", "vein_iou"]
    assert len(rows) == 4 * 12

    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    dark = summary["models"]["dark"]
    own = [float(row["vein_iou"]) for row in rows if row["model"] == "dark"]
    assert dark["vein_iou_mean_of_images"]["value"] == pytest.approx(np.mean(own), abs=1e-5)
    assert "2,000 bootstrap draws of 6 subjects" in dark["intervals"]
    assert dark["resampled"] == 6
    assert summary["models"]["second annotator"]["vein_iou_mean_of_images"]["value"] == 1
    assert "roc_area_pooled" not in summary["models"]["second annotator"]
    assert "calibration_error_pooled" not in summary["models"]["maximum curvature"]
    assert str(folder.parent) not in json.dumps(summary)
    assert [each.name for each in summaries] == list(summary["models"])


def test_images_that_a_model_was_trained_on_do_not_count(folder, tmp_path):
    dataset = Dataset.open(folder, PATTERN)
    seen = [sample for sample in dataset if sample.finger in ("fïnger0", "fïnger1")]
    trained = model("trained", hashes=tuple(image_hash(sample.image()) for sample in seen))
    comparison = compare(select(dataset), [trained, model("fresh", 0.8)])
    first, second = (summarise(result) for result in comparison.results)
    assert (first.images, first.seen) == (8, 4)
    assert (second.images, second.seen) == (8, 0)  # the same images, so that they can be compared
    (gap,) = differences(comparison)
    assert gap.images == 8

    evaluate(dataset, [trained], tmp_path)
    with (tmp_path / "per_image.csv").open(encoding="utf-8") as file:
        marked = {row["stem"] for row in csv.DictReader(file) if row["seen_in_training"] == "yes"}
    assert marked == {sample.stem for sample in seen}
    assert "4 of the 12 images are left out of the figures of 'trained'" in lead(tmp_path)
    assert "The figures are of 8 of them." in lead(tmp_path)
    facts = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["dataset"]
    assert facts["Images"].startswith("8; 4 more are left out")
    assert facts["Subjects"] == "4"


def test_a_model_trained_on_everything_has_no_figures_but_a_report(folder, tmp_path):
    dataset = Dataset.open(folder)
    hashes = tuple(image_hash(sample.image()) for sample in dataset)
    _, (summary,) = evaluate(dataset, [model(hashes=hashes)], tmp_path)
    assert summary.images == 0
    assert summary.mean_of_images == summary.pooled == {}


def test_who_has_no_figures_takes_no_image_from_the_others(folder, tmp_path):
    dataset = Dataset.open(folder)
    hashes = tuple(image_hash(sample.image()) for sample in dataset)
    evaluate(dataset, [model("knows", hashes=hashes), model("fresh")], tmp_path)
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert told["dataset"]["Images"] == str(len(dataset))
    assert "No figures of knows" in told["dataset"]["Selection"]


def test_paired_differences_are_tighter_than_the_models(folder):
    comparison = compare(
        select(Dataset.open(folder, PATTERN)),
        [model(), model("other", 0.55), Baseline("Sato ridges")],
    )
    gap, *others = differences(comparison)
    assert len(others) == 2
    means = [summarise(result).mean_of_images["vein_iou"] for result in comparison.results]
    assert gap.of["vein_iou"].value == pytest.approx(means[0].value - means[1].value)
    assert gap.of["vein_iou"].low <= gap.of["vein_iou"].value <= gap.of["vein_iou"].high


def test_a_truth_of_which_nothing_is_known_is_left_out(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=2)
    write_mask(folder / "masks" / "fïnger0_0.png", np.full(SHAPE, 2, np.uint8))
    comparison, _ = evaluate(Dataset.open(folder), [model()], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    said = lead(tmp_path / "out")
    assert f"{len(comparison.samples)} images are evaluated; 1 more could not be used" in said
    assert "fïnger0_0." in said
    assert "fïnger0_0.png says unsure everywhere" in page


def test_a_bad_sample_is_left_out_and_named(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=2)
    write_mask(folder / "masks" / "fïnger0_0.png", np.zeros((5, 5), np.uint8))
    (folder / "images" / "fïnger1_0.png").write_bytes(b"broken")
    evaluate(Dataset.open(folder), [model()], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    said = lead(tmp_path / "out")
    assert "2 more could not be used" in said
    assert "fïnger0_0, fïnger1_0." in said
    assert str(tmp_path) not in page


def test_the_hold_out_is_taken_where_there_is_one(tmp_path):
    folder = make_dataset(tmp_path / "data")
    stems = sorted(path.stem for path in (folder / "images").iterdir())
    lines = [f"{stem},f,{'validation' if stem.endswith('1') else 'train'},yes," for stem in stems]
    (folder / "samples.csv").write_text(
        "\n".join(["stem,finger,split,reviewed,source", *lines]), encoding="utf-8"
    )
    dataset = Dataset.open(folder)
    assert {sample.stem[-1] for sample in select(dataset).samples} == {"1"}
    assert len(select(dataset, everything=True).samples) == 12


def test_what_a_person_has_to_mend_is_listed_worst_first(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=5, shots=1)
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    for number, path in enumerate(sorted((folder / "masks").iterdir())):
        mask = read_mask(path)
        mask[:, : 15 * number + 2] = 0
        write_mask(drawn / path.name, mask)
    _, (summary,) = evaluate(
        Dataset.open(folder, PATTERN), [MaskFolder("drawn", drawn)], tmp_path / "out"
    )
    assert summary.mean_of_images[TO_CORRECT].value == pytest.approx(0.6)
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    table = page[page.index("missed or too much first") : page.index("Mean of images")]
    assert re.findall(r"fïnger\d", table)[0] == "fïnger4"
    assert re.findall(r"<tr[^>]*>.*?(fïnger\d_0)", table) == [
        f"fïnger{n}_0" for n in (4, 3, 2, 1, 0)
    ]
    rows = re.findall(r"<tr[^>]*><td><a href=\"#([^\"]+)\">(fïnger\d_0)", table)
    assert [stem for _, stem in rows] == [f"fïnger{n}_0" for n in (4, 3, 2, 0)], "1 is not shown"
    assert all(f'id="{target}"' in page for target, _ in rows)
    with (tmp_path / "out/per_image.csv").open(encoding="utf-8") as file:
        missed = [float(row["missed_length_px"]) for row in csv.DictReader(file)]
    assert missed == sorted(missed)


@pytest.mark.parametrize(
    ("images", "ranks"),
    [
        (1, ["the only image"]),
        (2, ["best", "worst"]),
        (3, ["median", "best", "worst"]),
        (6, ["median", "best", "worst", "2nd worst", "3rd worst"]),
        (9, ["median", "best", "worst", "2nd worst", "3rd worst", "4th worst"]),
    ],
)
def test_at_most_half_of_the_images_are_called_worst(tmp_path, images, ranks):
    folder = make_dataset(tmp_path / "data", fingers=images, shots=1)
    comparison = compare(select(Dataset.open(folder)), [MaskFolder("drawn", folder / "masks")])
    assert [each.rank for each in choose_examples(comparison.results[0])] == ranks


def test_figures_have_the_digits_that_they_deserve(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=6, shots=1)
    evaluate(Dataset.open(folder, PATTERN), [model(), model("b", 0.8)], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "Frangi" not in page, "no baseline is compared"
    work, means = (
        page[page.index(start) : page.index(end)]
        for start, end in (("still have to correct", "<details"), ("Mean of images<", "Pooled"))
    )
    cells = [re.findall(r'<td class="[^"]*">([^<]*)', row) for row in work.split("<tr>")[2:]]
    assert len(cells) == 2
    for to_correct, places, *lengths in cells:
        assert re.fullmatch(r"\d of 6", to_correct)
        assert re.fullmatch(r"\d+\.\d", places)
        assert all(re.fullmatch(r"\d+", length) for length in lengths)
    assert len(re.findall(r"\d of 6", means)) == 2


def test_the_contenders_are_introduced(tmp_path):
    dataset = split_by_image(make_dataset(tmp_path / "data", fingers=3))
    shots = [*dataset.train[:1], *dataset.validation[1:2]]  # of two fingers
    card = ModelCard(
        threshold=0.4,
        training_data=TrainingData(
            summary="two shots", image_hashes=tuple(image_hash(shot.image()) for shot in shots)
        ),
    )
    contenders = [
        Model("knows", Threshold(card)),
        Model("set", Threshold(ModelCard()), SegmentationSettings(threshold=0.7)),
        MaskFolder("drawn", dataset.path / "masks"),
        Baseline("Sato ridges"),
    ]
    evaluate(dataset, contenders, tmp_path / "out")
    rows = [re.findall(r"<td>([^<]+)</td>", row) for row in lead(tmp_path / "out").split("<tr>")]
    unknown = ["cannot be checked"] * 2
    assert rows[2:] == [
        ["model", "0.4", "two shots", "1 of 3", "2 of 3"],
        ["model", "0.7", "its card does not say", *unknown],
        ["masks", "none", "not known", *unknown],
        ["baseline", "strongest tenth", "nothing", "none", "none"],
    ]


def test_an_empty_mask_is_never_the_best_image(tmp_path):
    """It is one place to correct where the veins hang together: length tells what is left."""
    folder = make_dataset(tmp_path / "data", fingers=3, shots=1)
    drawn = tmp_path / "drawn"
    drawn.mkdir()
    for number, path in enumerate(sorted((folder / "masks").iterdir())):
        mask = read_mask(path)
        if number == 0:
            mask[:] = 0
        else:  # many short gaps
            mask[:, 10 * number :: 40] = mask[:, 10 * number + 1 :: 40] = 0
        write_mask(drawn / path.name, mask)
    comparison, _ = evaluate(
        Dataset.open(folder, PATTERN), [MaskFolder("drawn", drawn)], tmp_path / "out"
    )
    assert worst_first(comparison.results[0].judged)[0].sample.stem == "fïnger0_0"


HOSTILE = ["a$b$", r"$\frac{", "_hidden", "<script>alert(1)</script>", "a & b", "{{ 7 * 7 }}"]


def test_a_name_is_only_a_name(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=2)
    evaluate(Dataset.open(folder), [model(name) for name in HOSTILE], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    plots = html.unescape(page[page.index("<svg") : page.rindex("</svg>")])
    for name in HOSTILE:
        assert name in html.unescape(page)
        assert name in plots


def test_files_without_a_partner_are_listed_with_the_reason(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=2)
    (folder / "masks" / "fïnger0_0.png").rename(folder / "masks" / "fïnger0_0_and_label_7.png")
    (folder / "masks" / "fïnger1_0.png").rename(folder / "masks" / "other.png")
    comparison, _ = evaluate(Dataset.open(folder), [model()], tmp_path / "out")
    faults = {fault.stem: fault.message for fault in comparison.left_out}
    assert set(faults) == {"fïnger0_0", "fïnger1_0", "fïnger0_0_and_label_7", "other"}
    assert "fïnger0_0_and_label_7.png has a similar name" in faults["fïnger0_0"]
    assert "fïnger0_0.png has a similar name" in faults["fïnger0_0_and_label_7"]
    assert "similar" not in faults["other"]
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    for fault in comparison.left_out:
        assert fault.message in html.unescape(page)
    assert str(tmp_path) not in page


def test_what_is_wrong_with_one_name_is_one_thing_left_out(tmp_path):
    folder = make_dataset(tmp_path / "data", fingers=2)
    for room, ending in (("images", "jpg"), ("masks", "tif")):
        path = folder / room / "fïnger0_0.png"
        shutil.copy(path, path.with_suffix(f".{ending}"))
    evaluate(Dataset.open(folder), [model()], tmp_path / "out")
    assert "3 images are evaluated; 1 more could not be used" in lead(tmp_path / "out")
    told = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))["left_out"]
    assert "fïnger0_0.jpg" in told["fïnger0_0"]
    assert "fïnger0_0.tif" in told["fïnger0_0"]


def test_masks_are_looked_for_once_and_among_all(tmp_path, monkeypatch):
    folder = make_dataset(tmp_path / "data", fingers=2)
    for room in ("images", "masks"):
        (folder / room / "fïnger0_1.png").rename(folder / room / "fïnger0_0_mask.png")
    looks = []
    monkeypatch.setattr(
        "napari_veinseg.evaluation.contenders.list_masks",
        lambda path: looks.append(path) or list_masks(path),
    )
    comparison = compare(select(Dataset.open(folder)), [MaskFolder("drawn", folder / "masks")])
    assert not comparison.left_out
    assert looks == [folder / "masks"]


def test_equal_names_become_distinct(folder):
    first, second = gather_contenders(mask_folders=[folder / "masks", folder / "masks"])
    assert first.name != second.name


def test_what_cannot_be_evaluated_is_refused(folder, tmp_path):
    dataset = Dataset.open(folder)
    with pytest.raises(VeinSegError, match="nothing to evaluate"):
        gather_contenders()
    with pytest.raises(VeinSegError, match="lies in the dataset"):
        evaluate(dataset, [model()], folder / "report")
    write_mask(tmp_path / "fïnger0_0.png", np.zeros(SHAPE, np.uint8))
    with pytest.raises(VeinSegError, match="0 masks named 'fïnger0_1'"):
        evaluate(dataset, [MaskFolder("other", tmp_path)], tmp_path / "out")
    (tmp_path / "empty" / "images").mkdir(parents=True)
    with pytest.raises(VeinSegError, match=r"no pair.* no folder 'masks'"):
        select(Dataset.open(tmp_path / "empty"))


def test_an_image_that_a_contender_cannot_use_is_named(folder):
    class Refuses(Threshold):
        def predict(self, image, settings):
            raise VeinSegError("An image of 6 x 6 px is too small: give a larger one.")

    refusing = Model("refusing", Refuses(ModelCard()))
    with pytest.raises(VeinSegError, match=r"the first, fïnger0_0: An image of 6 x 6"):
        compare(select(Dataset.open(folder)), [refusing])


@pytest.mark.parametrize("pseudonyms", [False, True])
def test_one_bad_mask_of_a_folder_costs_the_others_nothing(folder, tmp_path, pseudonyms):
    masks = Path(shutil.copytree(folder / "masks", tmp_path / "second"))
    (masks / "fïnger0_0.png").write_bytes(b"no picture")
    contenders = [MaskFolder("second", masks), model()]
    comparison, _ = evaluate(
        Dataset.open(folder), contenders, tmp_path / "out", pseudonyms=pseudonyms, everything=True
    )
    (fault,) = comparison.left_out
    assert "cannot be read" in fault.message
    assert ("fïnger0_0" in f"{fault.stem}{fault.message}") == (not pseudonyms)
    assert str(tmp_path) not in fault.message
    lengths = {len(result.images) for result in comparison.results}
    assert lengths == {len(Dataset.open(folder)) - 1}, "all contenders have the same images"
