"""Contact sheets: each colour means what the legend says."""

import numpy as np

from napari_veinseg.data.images import read_image
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


def test_a_sheet_is_written_whole_for_pictures_of_any_shape(tmp_path):
    rows = [
        SheetRow(r"wide $\frac{$", [np.zeros((10, 40)), np.zeros((10, 40, 3), np.uint8)]),
        SheetRow("high", [np.zeros((50, 20)), np.zeros((7, 3, 3), np.uint8)]),
    ]
    write_contact_sheet(tmp_path / "sheet.png", ["One", "Two"], rows, legend=True)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]
    picture = read_image(tmp_path / "sheet.png")
    assert picture.shape[0] > picture.shape[1] > 500
