"""What only a CUDA device can show; skipped where there is none."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch

from napari_veinseg import VeinModel
from napari_veinseg.errors import VeinSegWarning
from napari_veinseg.model.file import read_model
from napari_veinseg.segmentation.runtimes.devices import choose_device
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import iterate_batches
from napari_veinseg.training.cuda_graphs import record_cuda_graph
from napari_veinseg.training.device_memory import cache_on_device
from napari_veinseg.training.fabric import launch
from napari_veinseg.training.learner import Learner
from napari_veinseg.training.run_folder import Run
from napari_veinseg.training.train import go_on
from tests.models import lively_network, small_card, texture, write_small_model
from tests.training.conftest import _made as _made
from tests.training.conftest import crops_of, prepared_samples
from tests.training.conftest import dataset as dataset
from tests.training.conftest import tiny as tiny
from tests.training.test_train import StopAt, trained

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
CUDA = torch.device("cuda", 0)


def test_segment_gives_what_the_cpu_gives(tmp_path):
    path = write_small_model(tmp_path / "m.safetensors")
    image = texture((300, 400))
    there, here = VeinModel.load(path), VeinModel(*read_model(path), "cpu")
    assert there.device_choice.name.startswith("cuda")
    expected = here.probability(image, vein_width=6)
    np.testing.assert_allclose(there.probability(image, vein_width=6), expected, atol=0.02)


def test_the_ladder_ends_on_the_cpu(monkeypatch):
    model = VeinModel(small_card(), lively_network(small_card()), "cuda")
    image = texture((300, 400))
    expected = model.probability(image, vein_width=6)
    forward = type(model.runtime)._forward

    def scarce(self, images):
        if self.device.type == "cuda":
            raise torch.OutOfMemoryError("simulated")
        return forward(self, images)

    monkeypatch.setattr(type(model.runtime), "_forward", scarce)
    with pytest.warns(VeinSegWarning, match="on the CPU"):
        answer = model.probability(image, vein_width=6)
    np.testing.assert_allclose(answer, expected, atol=0.02)


def test_samples_and_crops_lie_on_the_device(dataset):
    samples = prepared_samples(dataset, small_card())
    crops = crops_of(cache_on_device(samples, CUDA), 32, 2, "full", 0)
    assert crops.device == CUDA
    source = iterate_batches(crops, 0, 0, 1, 0, CUDA)
    for _ in range(8):
        assert {tensor.device for tensor in next(source).values()} == {CUDA}


def test_a_run_stops_and_goes_on(dataset, tiny, tmp_path):
    run = trained(dataset, tiny, tmp_path / "run", device="cuda", should_stop=StopAt(5))
    first = torch.load(run.state, weights_only=True)["position"]["step"]
    go_on(Run.open(run.path))
    assert 0 < first < torch.load(run.state, weights_only=True)["position"]["step"]
    assert VeinModel.load(run.last).segment(texture((60, 80))).shape == (60, 80)


def learned(model, steps):
    """Weights and statistics after steps with a batch each, of which the last are in parts."""
    config = TrainingConfig(dataset="d", epochs=1, batch_size=4)
    learner = Learner(launch(choose_device("cuda"), "float32"), read_model(model)[1], config)
    learner.record_cuda_graph((32, 48))
    chance = torch.Generator().manual_seed(0)
    for step in range(steps):
        learner._accumulation.parts = 1 if step < steps - 2 else 2
        image = torch.randn(4, 1, 32, 48, generator=chance)
        crops = {"image": image, "vein": (image < -1).float(), "known": torch.ones_like(image)}
        learner.train_step(crops, step, 1e-3)
    return learner, {name: part.clone() for name, part in learner._network.state_dict().items()}


class Asking(torch.nn.Module):
    """Cannot be recorded: it asks the device between its layers."""

    def __init__(self, network):
        super().__init__()
        self.network, self.drop = network, torch.nn.Dropout(0.1)

    def forward(self, image):
        assert image.sum().item() is not None
        return self.network(self.drop(image))


def test_what_cannot_be_recorded_learns_as_before(tiny):
    network = Asking(read_model(tiny)[1].to(CUDA)).train()
    image = torch.zeros(2, 1, 32, 48, device=CUDA)
    before = {name: part.clone() for name, part in network.state_dict().items()}
    record_cuda_graph(network, image, nullcontext())
    assert "forward" not in vars(network)
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    for name, part in network.state_dict().items():
        torch.testing.assert_close(part, before[name])
    network(torch.randn(2, 1, 32, 48, device=CUDA)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_a_recorded_pass_learns_what_single_kernels_do(tiny, monkeypatch):
    before = read_model(tiny)[1].state_dict()
    learner, recorded = learned(tiny, 4)
    assert "forward" in vars(learner._network.module)  # else nothing was recorded
    _, parted = learned(tiny, 8)
    monkeypatch.setattr("napari_veinseg.training.learner.record_cuda_graph", lambda *_: None)
    assert "forward" not in vars(learned(tiny, 4)[0]._network.module)
    for steps, found in ((4, recorded), (8, parted)):
        for name, expected in learned(tiny, steps)[1].items():
            torch.testing.assert_close(found[name], expected, rtol=1e-3, atol=1e-4)
            moved = expected.cpu() != before[name]
            assert moved.any() or not expected.is_floating_point()
