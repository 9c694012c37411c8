"""`veinseg evaluate`, `veinseg measure` and `veinseg consistency`, from files to files."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from napari_veinseg.data.image_files import write_probability
from napari_veinseg.data.mask_files import write_mask
from tests.evaluation.reports import make_dataset
from tests.evaluation.test_consistency import make_fingers


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path / "Dätaset")


PATTERN = r"^(.+)_\d+$"


def test_a_model_masks_and_baselines_are_compared(veinseg, dataset, tiny_model, tmp_path):
    drawn = shutil.copytree(dataset / "masks", tmp_path / "second annotator")
    before = {path: path.stat().st_mtime_ns for path in dataset.rglob("*")}
    output = tmp_path / "out"
    done = veinseg(
        "evaluate", dataset, "--model", tiny_model, "--masks", drawn, "--baseline", "--all",
        "--finger-pattern", PATTERN, "--output", output,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "second annotator " in done.out  # in one line of 80 columns
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["models"])[:3] == ["tiny", "second annotator", "maximum curvature"]
    assert summary["models"]["tiny"]["card"]["name"] == "tiny"
    found = summary["models"]["maximum curvature"]["cldice_mean_of_images"]
    assert f"{found['low']:.3f}\N{EN DASH}{found['high']:.3f}" in done.out
    assert summary["models"]["tiny"]["intervals"] in " ".join(done.out.split())
    assert (output / "report.html").exists()
    assert {path: path.stat().st_mtime_ns for path in dataset.rglob("*")} == before


def test_baselines_read_the_channel_and_the_sign_that_they_are_told(veinseg, dataset, tmp_path):
    for path in (dataset / "images").iterdir():
        grey = np.asarray(Image.open(path))
        bright_in_green = np.stack([np.full_like(grey, 90), 255 - grey, grey // 9], axis=-1)
        Image.fromarray(bright_in_green).save(path)

    def dice(*options):
        output = tmp_path / "-".join(["out", *options])
        done = veinseg("evaluate", dataset, "--baseline", "--all", *options, "--output", output)
        assert done.code == 0, done.err
        models = json.loads((output / "summary.json").read_text(encoding="utf-8"))["models"]
        return models["valley strength"]["dice_mean_of_images"]["value"]

    assert dice("--channel", "green", "--invert") > 2 * dice("--channel", "green")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nothing to evaluate"),
        (["--model", "no-such"], "no model 'no-such'"),
        (["--masks", "no-such"], "no-such"),
        (["--baseline", "--finger-pattern", "("], "finger pattern"),
    ],
)
def test_a_bad_call_is_one_sentence(veinseg, dataset, tmp_path, options, message):
    done = veinseg("evaluate", dataset, *options, "--output", tmp_path / "out")
    assert done.code == 1
    assert message in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_masks_are_measured(veinseg, dataset, tmp_path):
    done = veinseg(
        "measure", dataset / "masks", "--output", tmp_path / "out", "--pixel-size", 0.1, "--unit",
        "mm",
    )  # fmt: skip
    assert done.code == 0, done.err
    with (tmp_path / "out/images.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert float(rows[0]["total_length_mm"]) == pytest.approx(8.5, rel=0.05)


def test_two_folders_of_masks_are_judged_without_truth(veinseg, tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    rng = np.random.default_rng(0)
    for folder in (good, bad):
        folder.mkdir()
    for stem, mask in make_fingers(fingers=5, shots=2).items():
        write_mask(good / f"{stem}.png", mask)
        write_mask(bad / f"{stem}.png", (rng.random(mask.shape) < 0.2).astype(np.uint8))
    output = tmp_path / "out"
    done = veinseg(
        "consistency", good, "--other", bad, "--finger-pattern", PATTERN, "--output", output
    )
    assert done.code == 0, done.err
    assert "first minus second: -" in done.out
    judged = json.loads((output / "consistency.json").read_text(encoding="utf-8"))
    assert judged["masks"][0]["equal_error_rate"]["value"] == 0
    assert "5 genuine and 40 impostor pairs of 10 images." in done.out
    said = " ".join(done.out.split())
    assert "1,000 bootstrap draws of 5 subjects; there is none where all draws are alike." in said
    assert judged["resampled"] == 5
    scores = [judged["masks"][1][f"mean_{kind}_score"] for kind in ("genuine", "impostor")]
    assert [score for score in scores if f"{score:.3f}" not in done.out] == [], done.out
    with (output / "scores.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2 * (5 + 40)

    theirs = shutil.copytree(bad, tmp_path / "theirs" / "good")
    done = veinseg(
        "consistency", good, "--other", theirs, "--finger-pattern", PATTERN, "--output", output
    )
    assert done.code == 0, done.err
    with (output / "scores.csv").open(encoding="utf-8") as file:
        assert {row["masks"] for row in csv.DictReader(file)} == {str(good), str(theirs)}

    (bad / "f0_0.png").unlink()
    done = veinseg("consistency", good, "--other", bad, "--finger-pattern", PATTERN)
    assert done.code == 1
    assert "'f0_0'" in done.err


def test_a_folder_with_probabilities_is_measured_and_judged(veinseg, tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    for stem, mask in make_fingers(fingers=5, shots=2).items():
        write_mask(folder / f"{stem}.tif", mask)
        write_probability(folder / f"{stem}_probability.tif", mask * 0.7)
    for given in ([folder], sorted(folder.iterdir())):
        done = veinseg("measure", *given, "--output", tmp_path / "out")
        assert done.code == 0, done.err
        assert "Measured 10 masks" in done.out
    done = veinseg("consistency", folder, "--finger-pattern", PATTERN)
    assert done.code == 0, done.err
    assert "5 genuine" in done.out
