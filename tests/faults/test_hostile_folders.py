"""Datasets and images from strangers: nothing outside the folder is read or written."""

import csv
import json
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import strategies as st

from napari_veinseg.correction.autosave import left_sessions
from napari_veinseg.data.csv_tables import write_table
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import read_image, write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.samples_csv import COLUMNS, read_rows, write_rows
from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.batch.summary_csv import SummaryRow, write_summary
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.events import EventReader, RunStatus
from napari_veinseg.training.run_folder import Run
from tests.data.test_dataset import bare, image, mask
from tests.data.test_image_files import KINDS, encoded, png_claiming, tif_claiming
from tests.faults.conftest import SHARE, times
from tests.faults.fuzzing import (
    altered,
    damaged,
    is_short_sentence,
    json_values,
    refused_or_not,
    throw,
)

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")']


# --- images --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_cut_off_at_every_byte(tmp_path, kind):
    content, path = encoded(kind), tmp_path / kind
    path.write_bytes(content)
    whole = read_image(path)
    for length in range(0, len(content), 1 if SHARE else 61):
        path.write_bytes(content[:length])
        with refused_or_not():
            np.testing.assert_array_equal(read_image(path), whole)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", png_claiming(30_000, 30_000)),
        ("wide.png", png_claiming(2**31 - 1, 1)),
        ("none.png", png_claiming(0, 0)),
        ("wide.tif", tif_claiming(2**31, 1)),
        ("bomb.tif", tif_claiming(60_000, 60_000)),
        ("none.tif", tif_claiming(0, 0)),
    ],
)
def test_an_image_that_lies_takes_no_memory(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(VeinSegError) as caught:
            read_image(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert is_short_sentence(str(caught.value))


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_images(tmp_path, kind, tally):
    def read(content: bytes) -> None:
        (tmp_path / kind).write_bytes(content)
        read_image(tmp_path / kind)

    throw(damaged(encoded(kind)), times(15, 100), read, tally)


# --- links ---------------------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path):
    """Somebody's own folder, which a stranger's dataset points to."""
    folder = tmp_path / "own"
    folder.mkdir()
    write_image(folder / "a.png", image())
    write_mask(folder / "m.png", mask())
    (folder / "samples.csv").write_text("stem\nsecret\n")
    (folder / "diary.txt").write_text("secret")
    yield folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.png", "diary.txt", "m.png", "samples.csv",
    ]  # fmt: skip
    assert (folder / "diary.txt").read_text() == "secret"


@pytest.mark.parametrize("part", ["images", "masks", "samples.csv"])
def test_a_dataset_with_a_part_elsewhere_is_refused(tmp_path, outside, part):
    folder = bare(tmp_path / "set", [])
    target = outside / part if part == "samples.csv" else outside
    if part != "samples.csv":
        (folder / part).rmdir()
    (folder / part).symlink_to(target)
    with pytest.raises(VeinSegError, match="link out of the dataset"):
        Dataset.open(folder)


def test_a_linked_sample_is_neither_read_nor_written_through(tmp_path, outside):
    folder = bare(tmp_path / "set", ["b"])
    (folder / "images" / "a.png").symlink_to(outside / "a.png")
    (folder / "masks" / "a.png").symlink_to(outside / "m.png")
    dataset = Dataset.open(folder)
    assert [fault.stem for fault in dataset.faults()] == ["a"]
    for read in (dataset["a"].image, dataset["a"].mask):
        with pytest.raises(VeinSegError, match="link out of the dataset"):
            read()
    dataset.add("a", image(3), mask(), replace=True)
    np.testing.assert_array_equal(dataset["a"].image(), image(3))
    np.testing.assert_array_equal(read_image(outside / "a.png"), image())


def test_a_linked_lock_empties_no_file(tmp_path, outside):
    folder = bare(tmp_path / "set", ["b"])
    (folder / ".lock").symlink_to(outside / "diary.txt")
    with pytest.raises(VeinSegError, match="is a link"):
        Dataset.open(folder).add("a", image(), mask())


def test_litter_that_is_no_litter_stops_nobody(tmp_path, outside):
    folder = bare(tmp_path / "set", ["b"])
    (folder / ".x-12345678.tmp").symlink_to(outside / "gone")
    (folder / ".y-12345678.tmp").symlink_to(outside / "diary.txt")
    (folder / ".z-12345678.tmp").mkdir()
    Dataset.open(folder).add("a", image(), mask())


# --- tables --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", FORMULAS)
def test_no_exported_table_holds_a_formula(tmp_path, text):
    write_table(tmp_path / "t.csv", [{"stem": text, "iou": -0.5}], ["stem", "iou"])
    write_summary(tmp_path / "s.csv", [SummaryRow(text, text, "failed", error=text)])
    for name in ("t.csv", "s.csv"):
        with (tmp_path / name).open(newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert f"'{text}" in cells
        assert text not in cells


def test_a_source_of_another_encoding_leaves_the_dataset_readable(tmp_path):
    write_rows(tmp_path / "samples.csv", {"a": {"stem": "a", "source": "finger \udce4.png"}})
    assert read_rows(tmp_path / "samples.csv")["a"]["source"] == "finger ?.png"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_million_rows(tmp_path):
    folder = bare(tmp_path / "set", ["image_1"])
    rows = (f"image_{n},finger {n // 10},train,yes,layer\n" for n in range(10**6))
    (folder / "samples.csv").write_text(",".join(COLUMNS) + "\n" + "".join(rows))
    begin = time.process_time()
    assert len(Dataset.open(folder)) == 1
    assert time.process_time() - begin < 60
    (folder / "samples.csv").write_bytes(b"stem\n" + b"a" * 200_000_001)
    with pytest.raises(VeinSegError, match="more than 200 MB"):
        Dataset.open(folder)


cells = st.text(max_size=12) | st.sampled_from([*FORMULAS, "../a", "train", "yes", "a" * 300, "a"])


def test_samples_csv_of_anything(tmp_path, tally):
    path = tmp_path / "samples.csv"

    def read(content) -> None:
        path.write_bytes(content)
        rows = read_rows(path)
        write_rows(path, rows)
        assert read_rows(path) == {stem: rows[stem] for stem in sorted(rows)}

    def table(rows):
        lines = [",".join(COLUMNS), *(",".join(row) for row in rows)]
        return "\n".join(lines).encode("utf-8", "replace")

    rows = st.lists(st.lists(cells, max_size=7), max_size=5).map(table)
    whole = b"stem,finger,split,reviewed,source,mine\na,f,train,yes,s,1\n\xc3\xa4,g,,no,,2\n"
    throw(st.binary(max_size=200) | rows | damaged(whole), times(80, 500), read, tally)


# --- files beside a run and an autosave ----------------------------------------------------


def test_config_events_and_sessions_of_anything(tmp_path, tally):
    config = TrainingConfig(dataset="set", epochs=2).model_dump(mode="json")
    event = {"event": "epoch", "epoch": 1, "loss": 0.5, "progress": 0.1, "seconds_left": 3.0}
    place = {"scale": [1, 1]}
    session = {"name": "m", "image_name": "i", "image_path": "p", "shape": [4, 5], "saved": 1.0}
    (tmp_path / "old").mkdir()
    write_image(tmp_path / "old" / "plane-000000.tif", np.zeros((4, 5), np.uint8))

    def read(texts) -> None:
        for name, text in zip(
            ("config.json", "events.jsonl", "old/session.json"), texts, strict=True
        ):
            (tmp_path / name).write_text(text + "\n", encoding="utf-8", errors="replace")
        status = RunStatus()
        for each in EventReader(tmp_path / "events.jsonl").new_events():
            status.hear(each)
        for left in left_sessions(tmp_path):
            left.restored()
        Run.open(tmp_path)

    def text(content):
        return (altered(content) | json_values).map(json.dumps)

    texts = st.tuples(text(config), text(event), text(session | {"place": place}))
    throw(texts, times(60, 400), read, tally)
