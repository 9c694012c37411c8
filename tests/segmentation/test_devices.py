import pytest
import torch

from napari_veinseg.errors import VeinSegError
from napari_veinseg.segmentation.runtimes.devices import available_devices, choose_device


def pretend(monkeypatch, cuda=0, mps=False):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "best"), [(2, True, "cuda:0"), (0, True, "mps"), (0, False, "cpu")]
)
def test_cuda_comes_before_mps_before_the_cpu(monkeypatch, cuda, mps, best):
    pretend(monkeypatch, cuda, mps)
    assert choose_device("auto").name == best
    assert available_devices()[-1].name == "cpu"


def test_a_device_asked_for_is_taken_and_said(monkeypatch):
    pretend(monkeypatch, cuda=2)
    assert choose_device("cuda").name == "cuda:0"
    assert choose_device("cuda:1").name == "cuda:1"
    assert choose_device("cpu").reason == "chosen by you"


@pytest.mark.parametrize("wish", ["cuda", "mps", "cuda:7", "tpu"])
def test_a_device_that_is_not_there_is_refused_with_its_name(monkeypatch, wish):
    pretend(monkeypatch)
    with pytest.raises(VeinSegError, match=wish):
        choose_device(wish)


def test_the_cpu_says_why_no_gpu_is_used(monkeypatch):
    pretend(monkeypatch)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert "no NVIDIA GPU or driver" in choose_device("auto").reason
