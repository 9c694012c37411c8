"""Every command that reads a folder: a bad file is named, and the others are worked on."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_veinseg import files
from napari_veinseg.errors import VeinSegError
from tests.evaluation.reports import make_dataset

PATTERN = r"^(.+)_\d+$"
BAD = {
    "fïnger0_0": b"",
    "fïnger1_0": b"a letter",
    "fïnger2_0": b"\x89PNG\r\n\x1a\n",
}


@pytest.fixture
def dataset(tmp_path):
    """Six subjects of two shots, four of whose masks are bad."""
    folder = make_dataset(tmp_path / "data")
    for stem, content in BAD.items():
        (folder / "masks" / f"{stem}.png").write_bytes(content)
    values = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(values).save(folder / "masks" / "fïnger3_0.png")
    return folder


@pytest.mark.parametrize(
    ("command", "code", "done"),
    [
        (("segment", "masks", "--model", "MODEL"), 1, "9 of 12 images segmented"),
        (("measure", "masks"), 1, "Measured 8 masks"),
        (("consistency", "masks", "--finger-pattern", PATTERN), 1, "2 genuine"),
        (("evaluate", ".", "--baseline", "--all"), 0, "The report is"),
        (("evaluate", "whole", "--masks", "masks", "--all"), 0, "The report is"),
        (("train", ".", "--from", "MODEL", "--epochs", "1"), 0, "Model: "),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else "",
)
def test_bad_files_are_named_and_the_others_are_worked_on(
    veinseg, dataset, tiny_model, tmp_path, monkeypatch, command, code, done
):
    make_dataset(dataset / "whole")
    monkeypatch.chdir(dataset)
    output = tmp_path / ("out.safetensors" if command[0] == "train" else "out")
    arguments = [tiny_model if each == "MODEL" else each for each in command]
    result = veinseg(*arguments, "--output", output)
    said = result.out + result.err
    assert result.code == code, said
    assert done in result.out
    for stem in [*BAD, *(["fïnger3_0"] if command[0] != "segment" else [])]:
        assert stem in said
    assert output.exists()


@pytest.mark.parametrize("below", ["", "deeper"])
@pytest.mark.parametrize(
    "command",
    [
        ("segment", "images", "--model", "MODEL"),
        ("measure", "masks"),
        ("consistency", "masks", "--finger-pattern", PATTERN),
        ("evaluate", ".", "--baseline", "--all"),
        ("demo", "--model", "MODEL"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_file_where_a_folder_is_wanted_is_named(
    veinseg, tmp_path, tiny_model, monkeypatch, command, below
):
    folder = make_dataset(tmp_path / "data")
    monkeypatch.chdir(folder)
    (tmp_path / "results").write_text("mine")
    arguments = [tiny_model if each == "MODEL" else each for each in command]
    done = veinseg(*arguments, "--output", tmp_path / "results" / below)
    assert done.code == 1
    assert done.err.splitlines()[-1] == (
        f"veinseg: {tmp_path / 'results'} is a file where a folder is wanted: give another folder, "
        "or move that file away."
    )
    assert (tmp_path / "results").read_text() == "mine"


def test_the_model_of_a_training_needs_a_folder_as_well(veinseg, tmp_path):
    folder = make_dataset(tmp_path / "data")
    (tmp_path / "results").write_text("mine")
    for arguments in (
        ("train", folder, "--output", tmp_path / "results" / "a.safetensors"),
        ("train", folder, "--watch", "--run", tmp_path / "results"),
        ("synthesize", "1", tmp_path / "results"),
    ):
        assert f"{tmp_path / 'results'} is a file where a folder is wanted" in (
            veinseg(*arguments).err
        )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (errno.EACCES, "Permission denied"),
        (errno.ENAMETOOLONG, "File name too long"),
        (errno.ESTALE, "Stale file handle"),  # a share that is away for a moment
    ],
)
def test_what_the_system_says_of_a_path_becomes_one_sentence(monkeypatch, tmp_path, fault, said):
    def refused(path, *_, **__):
        raise OSError(fault, os.strerror(fault), str(path))

    monkeypatch.setattr(os, "stat", refused)  # not even whether it is a file can be asked
    with pytest.raises(VeinSegError, match=said), files.writing(tmp_path / "a.tif"):
        refused(tmp_path)


def test_a_drive_that_is_not_there_is_told_before_the_work(monkeypatch):
    monkeypatch.setattr(os.path, "exists", lambda _: False)
    with pytest.raises(VeinSegError, match="No such file"):
        files.check_output_folder(Path("out"))


def test_images_that_lie_deeper_are_told_in_words_that_hold_in_a_dock_as_well(veinseg, tmp_path):
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    call = ("segment", tmp_path / "in", "--output", tmp_path / "out")
    assert "or take images of subfolders, too (recursive)." in veinseg(*call).err
    (tmp_path / "in" / "deeper").rmdir()
    assert veinseg(*call).err.endswith("or folders of them.\n"), "there are no subfolders"
