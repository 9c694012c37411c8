"""Masks of other programs: 2 may be unsure, or the second piece of a label image."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.measure import label

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import read_drawn_mask, read_mask, write_mask
from napari_veinseg.data.sample import read_pair
from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.comparison import compare
from napari_veinseg.evaluation.contenders import MaskFolder
from napari_veinseg.evaluation.selection import select
from napari_veinseg.measurement.tables import measure_files
from napari_veinseg.training.dataset_survey import survey

VEINS = np.zeros((40, 60), np.uint8)
VEINS[8:12, 5:50] = VEINS[25:29, 10:55] = 1
NUMBERED = label(VEINS).astype(np.uint8)
"""One vein is 1, the other 2."""


def edited(place: tuple[slice, slice], value: int) -> np.ndarray:
    mask = NUMBERED.copy()
    mask[place] = value
    return mask


def png(path, values):
    Image.fromarray(values).save(path)


def palette(path, values):
    image = Image.fromarray(values).convert("P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    image.save(path)


@pytest.mark.parametrize("kind", ["u1", "u2", "i4", "i8"])
def test_a_tiff_of_numbered_pieces_is_told(tmp_path, kind):
    tifffile.imwrite(tmp_path / "x.tif", NUMBERED.astype(kind))
    mask, numbered = read_drawn_mask(tmp_path / "x.tif")
    assert numbered
    np.testing.assert_array_equal(mask, NUMBERED)


@pytest.mark.parametrize("write", [png, palette])
def test_a_png_of_numbered_pieces_is_told(tmp_path, write):
    write(tmp_path / "x.png", NUMBERED)
    assert read_drawn_mask(tmp_path / "x.png").numbered


@pytest.mark.parametrize(
    "mask",
    [
        VEINS,
        2 * VEINS,
        edited((slice(12, 25), slice(20, 30)), 2),  # a box along a vein
        edited((slice(35, 38), slice(0, 9)), 2),  # another box
        edited((slice(35, 38), slice(0, 9)), 1),  # another vein
    ],
    ids=["vein", "unsure", "touching", "two of 2", "two of 1"],
)
def test_what_no_numbering_gives_is_not_told(tmp_path, mask):
    tifffile.imwrite(tmp_path / "x.tif", mask)
    assert not read_drawn_mask(tmp_path / "x.tif").numbered


@pytest.mark.parametrize("mask", [NUMBERED, 2 - VEINS], ids=["two pieces", "all else unsure"])
@pytest.mark.parametrize("name", ["x.tif", "x.png"])
def test_a_mask_of_ours_means_what_it_says(tmp_path, name, mask):
    write_mask(tmp_path / name, mask)
    drawn = read_drawn_mask(tmp_path / name)
    assert not drawn.numbered
    np.testing.assert_array_equal(drawn.mask, mask)


def test_more_pieces_are_no_mask_and_the_remedy_is_said(tmp_path):
    three = edited((slice(35, 38), slice(0, 9)), 3)
    tifffile.imwrite(tmp_path / "x.tif", three.astype("u2"))
    with pytest.raises(VeinSegError, match="numbers its 3 pieces: make all that is vein 1"):
        read_mask(tmp_path / "x.tif")
    png(tmp_path / "grey.png", np.arange(2400, dtype=np.uint8).reshape(40, 60))
    with pytest.raises(VeinSegError, match="other than 0 and 1"):
        read_mask(tmp_path / "grey.png")


@pytest.fixture
def dataset(tmp_path):
    rng = np.random.default_rng(0)
    made = Dataset.create(tmp_path / "data")
    for stem in "ab":
        made.add(stem, rng.integers(0, 255, VEINS.shape, np.uint8), VEINS)
    write_image(made.path / "images/numbered.tif", rng.integers(0, 255, VEINS.shape, np.uint8))
    tifffile.imwrite(made.path / "masks/numbered.tif", NUMBERED)
    return made.path


def test_training_and_evaluation_tell_it(dataset):
    assert "one is 2" in survey(dataset).warnings[0]
    assert len(survey(dataset).warnings) == 1
    drawn = MaskFolder("second", dataset / "masks")
    said = caveats(compare(select(Dataset.open(dataset), everything=True), [drawn]))
    for whose in ("truths", "masks of 'second'"):
        assert any(f"Check 1 of the 3 {whose} (numbered): one piece is 1" in each for each in said)


def test_what_somebody_has_reviewed_is_not_told(dataset):
    (dataset / "samples.csv").write_text("stem,reviewed\nnumbered,yes\n", encoding="utf-8")
    assert not read_pair(Dataset.open(dataset)["numbered"]).warning


def test_measuring_tells_it_and_measures(dataset, tmp_path):
    with pytest.warns(VeinSegWarning, match=r"In .*numbered.tif one piece is 1"):
        assert measure_files([dataset / "masks"], tmp_path / "out") == 3
