"""Nothing is ever sent anywhere: the whole work of the package, with every socket forbidden."""

import socket

import numpy as np
import pytest

from napari_veinseg import VeinModel, train
from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.evaluation.contenders import gather_contenders
from napari_veinseg.evaluation.report import evaluate
from napari_veinseg.measurement.measure import measure


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*address):
        raise AssertionError(f"a connection was tried: {address}")

    for way in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, way, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(AssertionError, match="tried"):
        socket.create_connection(("localhost", 9))


@pytest.mark.usefixtures("no_network")
def test_the_whole_work_opens_no_connection(tmp_path):
    dataset = Dataset.create(tmp_path / "set")
    model = VeinModel.load("starter", device="cpu")
    for number in range(3):
        finger = synthetic_finger(number, (60, 90))
        mask = model.segment(finger.image)
        measure(mask)
        mask[: len(mask) // 2] = finger.mask[: len(mask) // 2]
        dataset.add(f"f{number}", finger.image, mask.astype(np.uint8), finger=f"f{number}")
    run = train(
        dataset, epochs=1, steps_per_epoch=1, crop=32, batch_size=1, run=tmp_path / "run",
        output=tmp_path / "mine.safetensors",
    )  # fmt: skip
    assert run.result is not None
    contenders = gather_contenders(["starter", str(tmp_path / "mine.safetensors")], baselines=True)
    evaluate(Dataset.open(tmp_path / "set"), contenders, tmp_path / "report", everything=True)
    assert (tmp_path / "report" / "report.html").exists()
