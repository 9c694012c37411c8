"""Contact sheets: each colour means what the legend says."""

import numpy as np
import pytest

from napari_veinseg.data.image_files import read_image
from napari_veinseg.errors import VeinSegError
from napari_veinseg.evaluation.error_map import COLOURS, Agreement, agreement
from napari_veinseg.evaluation.metrics import counts
from napari_veinseg.evaluation.report.contact_sheet import (
    SheetRow,
    agreement_picture,
    mask_picture,
    write_contact_sheet,
)


def test_agreement_has_four_colours_and_black():
    prediction = np.array([[1, 0, 1, 1, 0]])
    truth = np.array([[1, 1, 0, 2, 0]])
    picture = agreement_picture(prediction, truth)
    found, missed, extra, unsure, nothing = map(tuple, picture[0])
    assert nothing == (0, 0, 0)
    assert len({found, missed, extra, unsure, nothing}) == 5
    assert tuple(mask_picture(truth)[0, 0]) == found
    assert tuple(mask_picture(truth)[0, 3]) == unsure


def test_one_table_paints_pictures_page_and_viewer_and_counts():
    rng = np.random.default_rng(0)
    prediction, truth = rng.integers(0, 3, (2, 40, 50), dtype=np.uint8)
    labels, counted = agreement(prediction, truth), counts(prediction, truth)
    assert (labels == Agreement.FOUND).sum() == counted.true_positive
    assert (labels == Agreement.MISSED).sum() == counted.false_negative
    assert (labels == Agreement.TOO_MUCH).sum() == counted.false_positive
    assert (labels == Agreement.NO_VEIN).sum() == counted.true_negative
    picture = agreement_picture(prediction, truth)
    for kind, colour in COLOURS.items():
        painted = (picture == tuple(bytes.fromhex(colour[1:]))).all(axis=-1)
        assert ((labels == kind) == painted).all()


def test_a_sheet_is_written_whole_for_pictures_of_any_shape(tmp_path):
    rows = [
        SheetRow(r"wide $\frac{$", [np.zeros((10, 40)), np.zeros((10, 40, 3), np.uint8)]),
        SheetRow("high", [np.zeros((50, 20)), np.zeros((7, 3, 3), np.uint8)]),
    ]
    write_contact_sheet(tmp_path / "sheet.png", ["One", "Two"], rows, legend=True)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    picture = read_image(tmp_path / "sheet.png")
    assert picture.shape[0] > picture.shape[1] > 500
    with pytest.raises(VeinSegError, match=r"no_such.*was not written"):
        write_contact_sheet(tmp_path / "no_such" / "sheet.png", ["One", "Two"], rows)
