"""Vein images are biometric data: nothing is sent anywhere, files tell no more than they must."""

import getpass
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.image_files import write_image
from napari_veinseg.data.mask_files import write_mask
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.evaluation.contenders import gather_contenders
from napari_veinseg.evaluation.report.write_report import REPORT_FILES, evaluate
from napari_veinseg.measurement.measure import measure
from tests.models import write_small_model

NAMES = ("Anna_Muster", "Bert_Beispiel", "Clara_Exempel")

WATCH = """
import os, sys
def _hear(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__" or (
        event == "socket.__new__" and arguments[1] not in (1, None)  # 1: within this machine
    ):
        with open(os.environ["SOCKETS"], "a") as file:
            file.write(f"{event} {arguments[1:]}\\n")
sys.addaudithook(_hear)
"""
# urllib3, which MONAI imports, asks by a local port whether there is IPv6; it sends nothing.
PROBE = "socket.__new__ (10, 1, 0)\nsocket.bind (('::1', 0),)\n"


@pytest.fixture
def no_network(monkeypatch):
    """Refuse every socket but those between processes of this machine, when it is opened."""

    class Refused(socket.socket):
        def __init__(self, family=-1, *arguments, **options):
            if family != getattr(socket, "AF_UNIX", None):
                raise AssertionError(f"a socket was opened: {family}")
            super().__init__(family, *arguments, **options)

    def refuse(*address):
        raise AssertionError(f"a name was looked up: {address}")

    monkeypatch.setattr(socket, "socket", Refused)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(AssertionError, match="opened"):
        socket.socket(socket.AF_INET)


@pytest.fixture
def dataset(tmp_path, monkeypatch):
    monkeypatch.setenv("LOGNAME", "whos_account")
    made = Dataset.create(tmp_path / "patients of Dr Who")
    for number, name in enumerate(NAMES):
        finger = synthetic_finger(number, (60, 90))
        made.add(f"{name}_left", finger.image, finger.mask, finger=name, source=f"/home/{name}")
    return made


@pytest.mark.usefixtures("no_network")
def test_the_whole_work_opens_no_socket(tmp_path, dataset):
    model = VeinModel.load("starter", device="cpu")
    measure(model.segment(synthetic_finger(9, (60, 90)).image))
    run = train(
        dataset, epochs=1, steps_per_epoch=1, crop=32, batch_size=1, run=tmp_path / "run",
        output=tmp_path / "mine.safetensors",
    )  # fmt: skip
    assert run.result is not None
    contenders = gather_contenders(["starter", str(tmp_path / "mine.safetensors")], baselines=True)
    evaluate(Dataset.open(dataset.path), contenders, tmp_path / "report", everything=True)
    assert (tmp_path / "report" / "report.html").exists()
    # What may be passed on knows nobody.
    header = (tmp_path / "mine.safetensors").read_bytes()[:200_000].decode("latin1")
    assert tells_of(header, tmp_path, dataset) == []


def tells_of(text: str, tmp_path: Path, dataset: Dataset) -> list[str]:
    """Which words that could lead to a person or a place stand in a text."""
    words = [*NAMES, dataset.path.name, str(tmp_path), str(Path.home()), "/home/", "Dr Who"]
    return [word for word in [*words, getpass.getuser()] if word in text]


def report_on(dataset, tmp_path, **how):
    model = write_small_model(tmp_path / "tiny.safetensors")
    masks = tmp_path / "masks of Anna_Muster"
    masks.mkdir()
    for sample in dataset:
        write_image(masks / f"{sample.stem}.tif", np.ones((60, 90), np.uint8))
    (dataset.path / "images" / "Clara_Exempel_left.tif").write_bytes(b"damaged")
    contenders = gather_contenders([str(model)], [masks], device="cpu")
    evaluate(Dataset.open(dataset.path), contenders, tmp_path / "out", everything=True, **how)
    return {path.name: path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}


def pictures_in(page: str) -> int:
    return page.count("data:image/png;base64,")


def test_a_report_holds_no_path_and_says_that_it_has_pictures(dataset, tmp_path):
    texts = report_on(dataset, tmp_path)
    for text in texts.values():
        assert str(tmp_path) not in text
        assert "/home/" not in text
    assert pictures_in(texts["report.html"]) > 0
    assert "pictures of veins, by which a person can be recognised" in texts["report.html"]


def test_a_report_with_pseudonyms_and_without_pictures_knows_nobody(dataset, tmp_path):
    texts = report_on(dataset, tmp_path, pseudonyms=True, pictures=False)
    assert set(texts) == set(REPORT_FILES)
    for text in texts.values():
        assert tells_of(text, tmp_path, dataset) == []
    assert {"image 1", "image 2", "subject 1", "subject 2"} <= set(
        re.findall(r"(?:image|subject) \d+", texts["per_image.csv"])
    )
    assert "masks 2" in json.loads(texts["summary.json"])["models"]
    assert "holds no picture" in texts["report.html"]
    assert pictures_in(texts["report.html"]) == 0


def test_the_command_line_offers_both(dataset, tmp_path, monkeypatch, capsys):
    from napari_veinseg.cli import main

    model = write_small_model(tmp_path / "tiny.safetensors")
    command = ["evaluate", dataset.path, "--model", model, "--output", tmp_path / "out", "--all"]
    options = ["--pseudonyms", "--no-pictures", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["veinseg", *map(str, command), *options])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    text = (tmp_path / "out" / "report.html").read_text()
    assert tells_of(text, tmp_path, dataset) == []
    assert pictures_in(text) == 0


@pytest.mark.parametrize("write", [write_image, write_mask])
@pytest.mark.parametrize("ending", ["tif", "png"])
def test_masks_and_images_carry_no_path(tmp_path, write, ending):
    path = tmp_path / f"Anna.{ending}"
    write(path, np.ones((9, 9), np.uint8))
    content = path.read_bytes()
    assert b"Anna" not in content
    assert str(tmp_path).encode() not in content


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_process_of_the_command_line_opens_a_socket(tmp_path, dataset):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WATCH)
    heard = tmp_path / "sockets.txt"
    paths = [str(tmp_path / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "SOCKETS": str(heard)}

    def python(*arguments):
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], env=env, capture_output=True, text=True,
            check=False, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]

    python("-c", "import socket; socket.socket(socket.AF_INET).close()")
    assert "socket.__new__" in heard.read_text()
    heard.unlink()
    images, report = dataset.path / "images", tmp_path / "report"
    how = ["--run", tmp_path / "run", "--epochs", 1, "--device", "cpu"]
    commands = [
        ["segment", images, "--output", tmp_path / "masks"],
        ["measure", tmp_path / "masks", "--output", tmp_path / "tables"],
        ["train", dataset.path, "--output", tmp_path / "new.safetensors", *how],
        ["evaluate", dataset.path, "--model", "starter", "--output", report, "--all"],
    ]
    for command in commands:
        python("-m", "napari_veinseg", *command)
    told = heard.read_text() if heard.exists() else ""
    assert told.replace(PROBE, "") == ""
