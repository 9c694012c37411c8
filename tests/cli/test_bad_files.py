"""Every command that reads a folder: a bad file is named, and the others are worked on."""

import numpy as np
import pytest
from PIL import Image

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
