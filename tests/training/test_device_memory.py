"""A batch that does not fit, and tensors that must not leave their device."""

from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from napari_veinseg.errors import VeinSegError, VeinSegWarning
from napari_veinseg.training.crops import iterate_batches
from napari_veinseg.training.device_memory import GradientAccumulation, cache_on_device
from napari_veinseg.training.losses import vein_loss
from tests.models import lively_network, small_card
from tests.training.conftest import crops_of, prepared_samples

BATCH = 6


@pytest.fixture
def network():
    return lively_network(small_card())  # statistics frozen, as in evaluation


@pytest.fixture
def batch():
    torch.manual_seed(0)
    image = torch.randn(BATCH, 1, 64, 64)
    return image, (image < -1).float()


def learner(network, batch, room=BATCH):
    image, vein = batch
    sizes = []

    def backward(part, share):
        if len(image[part]) > room:
            raise torch.OutOfMemoryError("simulated")
        sizes.append(len(image[part]))
        entropy = torch.nn.functional.binary_cross_entropy_with_logits
        loss = entropy(network(image[part]), vein[part]) * share
        loss.backward()
        return loss.detach()

    return backward, sizes


def gradients(network):
    return torch.cat([parameter.grad.ravel() for parameter in network.parameters()])


@pytest.mark.parametrize(("room", "expected"), [(3, [3, 3]), (2, [2, 2, 2]), (1, [1] * 6)])
def test_too_large_a_batch_is_learned_in_parts_with_the_same_gradient(
    network, batch, room, expected
):
    whole = GradientAccumulation().run(BATCH, learner(network, batch)[0], network.zero_grad)
    wanted = gradients(network)
    backward, sizes = learner(network, batch, room)
    parts = GradientAccumulation()
    with pytest.warns(VeinSegWarning, match="too small for 6 crops") as told:
        loss = parts.run(BATCH, backward, network.zero_grad)
    assert sizes == expected
    torch.testing.assert_close(loss, whole)
    torch.testing.assert_close(gradients(network), wanted, rtol=1e-4, atol=1e-6)
    told_before = len(told)
    parts.run(BATCH, backward, network.zero_grad)
    assert len(told) == told_before, "what was learned once is not tried again"
    assert sizes == expected * 2


@pytest.mark.parametrize(
    ("parts", "room"), [(GradientAccumulation(), 0), (GradientAccumulation(alone=False), 3)]
)
def test_where_parts_do_not_help_it_is_one_sentence(network, batch, parts, room, recwarn):
    with pytest.raises(VeinSegError, match="smaller batch_size"):
        parts.run(BATCH, learner(network, batch, room)[0], network.zero_grad)


def test_another_error_is_not_taken_for_it(network):
    wrong = torch.randn(BATCH, 5, 64, 64), torch.zeros(BATCH, 1, 64, 64)
    with pytest.raises(RuntimeError, match="channels"):
        GradientAccumulation().run(BATCH, learner(network, wrong)[0], network.zero_grad)


def test_a_run_that_runs_out_of_memory_goes_on(dataset, tiny, tmp_path, monkeypatch):
    from tests.training.test_train import status_of, trained

    def scarce(logits, *arguments, **options):
        if len(logits) > 1:
            raise torch.OutOfMemoryError("simulated")
        return vein_loss(logits, *arguments, **options)

    monkeypatch.setattr("napari_veinseg.training.learner.vein_loss", scarce)
    with pytest.warns(VeinSegWarning, match="at a time"):
        run = trained(dataset, tiny, tmp_path / "run")
    assert status_of(run).end["reason"] == "budget"


class Devices(TorchDispatchMode):
    """Notes where the result of every operation lies."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.seen |= {t.device.type for t in tree_leaves(result) if isinstance(t, torch.Tensor)}
        return result


def test_learning_makes_no_tensor_on_another_device(network):
    """The `meta` device computes nothing, and so refuses whatever lies elsewhere."""
    network = network.train().to("meta")
    image = torch.empty(2, 1, 64, 64, device="meta")
    with Devices() as devices:
        loss = vein_loss(network(image), image, image, cldice_weight=0.5)
        loss.backward()
    assert devices.seen == {"meta"}


def test_crops_are_cut_where_the_samples_lie(dataset):
    samples = prepared_samples(dataset, small_card())
    there = [replace(sample, maps=sample.maps.to("meta")) for sample in samples]
    crops = crops_of(there, 32, 2, "none", 0)
    assert crops.device.type == "meta"
    crop = next(iterate_batches(crops, 0, 0, 1, 0, torch.device("meta")))
    assert {tensor.device.type for tensor in crop.values()} == {"meta"}


def test_on_the_cpu_samples_stay_as_they_are(dataset):
    samples = prepared_samples(dataset, small_card())
    assert cache_on_device(samples, torch.device("cpu")) is samples
