"""A dataset and a network so small that an epoch takes a moment."""

import shutil
from pathlib import Path

import pytest
import torch

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.sample import read_pair
from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.model.card import DenseUNetArguments, ModelCard
from napari_veinseg.model.file import build_network, write_model
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.crops import Crops
from napari_veinseg.training.prepared_samples import prepare_sample

TINY = {"crop": 32, "batch_size": 2, "steps_per_epoch": 4, "device": "cpu"}


def prepared_samples(samples, card):
    """Read and prepare samples that are all sound."""
    return [prepare_sample(read_pair(sample), card) for sample in samples]


def crops_of(samples, side, batch_size, augmentation, seed=0, scales=(1.0,)):
    """Cut crops as a run with these settings does."""
    how = {"crop": side, "batch_size": batch_size, "augmentation": augmentation, "seed": seed}
    return Crops(samples, TrainingConfig(dataset="set", minutes=1, **how), scales)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def _made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    dataset = Dataset.create(folder / "dataset")
    for number in range(4):
        finger = synthetic_finger(number, shape=(60, 80))
        dataset.add(f"f{number}_1", finger.image, finger.mask, finger=f"f{number}")
    card = ModelCard(
        network=DenseUNetArguments(growth_rate=4, layers=(1, 1), stem_channels=4, dropout=0.1)
    )
    torch.manual_seed(0)
    write_model(folder / "tiny.safetensors", card, build_network(card))
    return folder


@pytest.fixture
def dataset(_made, tmp_path) -> Dataset:
    shutil.copytree(_made / "dataset", tmp_path / "dataset")
    return Dataset.open(tmp_path / "dataset")


@pytest.fixture
def tiny(_made) -> Path:
    return _made / "tiny.safetensors"


@pytest.fixture
def soft_scores(monkeypatch):
    """Judge a model by how unlikely it finds veins: each step changes that, and the first are best.

    A network that has learnt next to nothing draws no mask, and its vein IoU is 0 at every epoch:
    nobody would miss a score, or the best weights, that got lost.
    """

    def score(model, pairs, _settings, stop):
        found = {}
        for pair in pairs:
            if stop():
                return None
            probability = model.probability(pair.image, vein_width=6)
            found[pair.sample.stem] = float(1 - probability[pair.mask == 1].mean())
        return found

    monkeypatch.setattr("napari_veinseg.training.loop.held_out_ious", score)
