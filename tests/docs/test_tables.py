"""Every column of every table is explained in docs/formats.md."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg.correction import export_masks
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.samples_csv import COLUMNS
from napari_veinseg.evaluation.consistency.compare_folders import compare_folders
from napari_veinseg.evaluation.report.write_report import evaluate
from napari_veinseg.measurement.measure import measure
from napari_veinseg.measurement.tables import branch_columns, image_row
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow
from tests.evaluation.reports import PATTERN, make_dataset, model

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"


def explained() -> dict[str, set[str]]:
    """Read the columns of each table; the first cell of a row is empty where it goes on."""
    text = FORMATS.read_text(encoding="utf-8").split("## Tables")[1].split("\n## ")[0]
    columns: dict[str, set[str]] = {}
    table = ""
    for line in text.splitlines():
        cells = line.split(" | ")
        if len(cells) == 3:
            table = next(iter(re.findall(r"`(\w+\.csv)`", cells[0])), table)
            columns.setdefault(table, set()).update(re.findall(r"`(\w+)`", cells[1]))
    return columns


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("images.csv", ["mask", "slice", *image_row(measure(np.ones((9, 9), np.uint8)), "UNIT")]),
        ("branches.csv", branch_columns("UNIT")),
        ("summary.csv", [field.name for field in fields(SummaryRow)]),
        ("masks.csv", export_masks._COLUMNS),
        ("samples.csv", COLUMNS),
    ],
)
def test_the_columns_of_a_table_are_explained(table, columns):
    assert explained()[table] == set(columns)


def test_the_columns_of_a_report_are_explained(tmp_path):
    dataset = Dataset.open(make_dataset(tmp_path / "data", fingers=2), PATTERN)
    evaluate(dataset, [model()], tmp_path / "out", pictures=False)
    compare_folders([tmp_path / "data/masks"], PATTERN, tmp_path / "out")
    for table in ("per_image.csv", "scores.csv"):
        header = (tmp_path / "out" / table).read_text(encoding="utf-8").splitlines()[0]
        assert explained()[table] == set(header.split(","))
