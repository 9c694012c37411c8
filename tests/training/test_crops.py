import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from napari_veinseg.data.sample import Fault, read_pair
from napari_veinseg.errors import VeinSegError
from napari_veinseg.model.card import ModelCard
from napari_veinseg.training.crops import iterate_batches
from napari_veinseg.training.prepared_samples import prepare_sample
from tests.training.conftest import crops_of, prepared_samples

CARD = ModelCard(working_vein_width=6.0)


@pytest.fixture
def samples(dataset):
    return prepared_samples(dataset, CARD)


def taken(crops, count, **how):
    defaults = {"first_step": 0, "rank": 0, "ranks": 1, "workers": 0}
    stream = iterate_batches(crops, **(defaults | how), device=torch.device("cpu"))
    return [next(stream) for _ in range(count)]


def equal(first, second) -> bool:
    return all(torch.equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a)


@pytest.mark.parametrize("augmentation", ["none", "photometric", "full"])
def test_crops_depend_on_seed_step_and_place_alone(samples, augmentation):
    crops = crops_of(samples, 32, 2, augmentation, seed=1)
    whole = taken(crops, 4)
    assert equal(whole, taken(crops_of(samples, 32, 2, augmentation, seed=1), 4))
    assert equal(whole[2:], taken(crops, 2, first_step=2))
    assert not equal(whole, taken(crops_of(samples, 32, 2, augmentation, seed=2), 4))
    halves = [taken(crops, 4, rank=rank, ranks=2) for rank in range(2)]
    joined = [{key: torch.cat([a[key], b[key]]) for key in a} for a, b in zip(*halves, strict=True)]
    assert equal(whole, joined)


@pytest.mark.parametrize(
    "how", [how for how in ("fork", "spawn") if how in multiprocessing.get_all_start_methods()]
)
def test_workers_change_nothing(samples, how):
    crops = crops_of(samples, 32, 2, "full", seed=1)
    usual = multiprocessing.get_start_method()
    multiprocessing.set_start_method(how, force=True)
    try:
        assert equal(taken(crops, 3), taken(crops, 3, workers=1))
    finally:
        multiprocessing.set_start_method(usual, force=True)


@pytest.mark.parametrize("cpus", [1, 99])
def test_crops_made_ahead_are_those_made_between_steps(samples, monkeypatch, cpus):
    crops = crops_of(samples, 32, 2, "full", seed=1)
    whole = taken(crops, 4)
    monkeypatch.setattr("napari_veinseg.training.crops.usable_cpus", lambda: cpus)
    assert equal(whole, taken(crops, 4))


def test_threads_that_begin_later_compute_on_all_cores(samples, monkeypatch):
    monkeypatch.setattr("napari_veinseg.training.crops.usable_cpus", lambda: 99)
    usual = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        taken(crops_of(samples, 32, 2, "none", seed=1), 2)
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(usual)


@pytest.mark.parametrize("augmentation", ["none", "photometric", "full"])
def test_crops_are_plain_tensors_of_one_shape(samples, augmentation):
    crops = crops_of(samples, 48, 2, augmentation, seed=0)
    for step in range(20):
        crop = crops[step, 0]
        assert {type(value) for value in crop.values()} == {torch.Tensor}
        assert {value.shape for value in crop.values()} == {(1, *crops.shape)}
        assert {value.dtype for value in crop.values()} == {torch.float32}
        assert all(torch.isfinite(value).all() for value in crop.values())
        assert crop["known"].unique().tolist() in ([0.0], [1.0], [0.0, 1.0])
        assert 0 <= crop["vein"].min() <= crop["vein"].max() <= 1


def test_scales_err_as_the_measured_width_does(samples):
    known = torch.cat([each.maps[0].float().unique() for each in samples])
    crops = crops_of(samples, 32, 2, "none", seed=0)
    assert not any(torch.isin(crops[step, 0]["image"], known).all() for step in range(8))


@pytest.mark.parametrize(("scales", "low", "high"), [((1.0,), -0.9, 0.3), ((2.0,), 0.1, 1.3)])
def test_veins_are_shown_as_narrow_as_a_scale_makes_them(dataset, scales, low, high):
    octaves = seen_octaves(dataset, scales)
    assert low - 0.1 < min(octaves) < low + 0.3
    assert high - 0.3 < max(octaves) < high + 0.1


def test_crops_stand_at_each_scale_of_the_model(dataset):
    octaves = np.array(seen_octaves(dataset, (1.0, 2.0)))
    assert np.mean(octaves < 0.1) > 0.25
    assert np.mean(octaves > 0.3) > 0.25


def seen_octaves(dataset, scales) -> list[float]:
    """How much narrower than the working width one straight vein is, in each of many crops."""
    mask = np.zeros((120, 160), np.uint8)
    mask[57:63] = 1
    straight = dataset.add("straight", np.where(mask, 50, 200).astype(np.uint8), mask)
    crops = crops_of(prepared_samples([straight], CARD), 96, 2, "none", 0, scales)
    widths = [crops[step, 0]["vein"][0].sum(0).max().item() for step in range(60)]
    return [float(np.log2(CARD.working_vein_width / width)) for width in widths if width]


def test_photometric_changes_leave_the_truth_alone(samples):
    plain, changed = (crops_of(samples, 32, 2, name, seed=0) for name in ("none", "photometric"))
    pairs = [(plain[step, 0], changed[step, 0]) for step in range(30)]
    assert all(torch.equal(a["vein"], b["vein"]) for a, b in pairs)
    assert any(not torch.equal(a["image"], b["image"]) for a, b in pairs)


def test_every_sample_is_seen_once_a_pass(samples):
    crops = crops_of(samples, 32, 2, "none", seed=0)
    for begin in (0, 4, 8):
        stems = {crops._sample_of(begin + place).stem for place in range(4)}
        assert stems == {sample.stem for sample in samples}


def test_batches_see_veins(samples):
    crops = crops_of(samples, 32, 4, "full", seed=0)
    seen = [bool((batch["vein"] > 0.5).any()) for batch in taken(crops, 25)]
    assert all(seen)


def test_beyond_a_small_image_nothing_is_known(dataset):
    image = dataset["f0_1"].image()[:40, :40]
    mask = np.zeros((40, 40), np.uint8)
    mask[18:24] = 1
    small = dataset.add("small", image, mask)
    large = dataset["f1_1"]
    crops = crops_of(prepared_samples([small, large], CARD), 64, 2, "none", seed=0)
    whole = crops.shape[0] * crops.shape[1]
    known = [crops[step, place]["known"].sum() for step in range(6) for place in range(2)]
    assert min(known) <= 45 * 45 < whole


def test_veins_come_to_working_width(dataset):
    for width in (4, 12):
        mask = np.zeros((120, 160), np.uint8)
        mask[60 : 60 + width] = 1
        image = np.where(mask, 50, 200).astype(np.uint8)
        prepared = prepare_sample(read_pair(dataset.add(f"w{width}", image, mask)), CARD)
        across = (prepared.maps[1][:, 40].float() >= 0.5).sum()
        assert abs(int(across) - 6) <= 1


def test_unusable_samples_are_named_and_left_out(dataset):
    image = dataset["f0_1"].image()
    dataset.add("empty", image, np.zeros(image.shape, np.uint8))
    speck = np.zeros(image.shape, np.uint8)
    speck[5:55, 5:75] = 1
    dataset.add("blot", image, speck)
    flat = dataset["f0_1"].mask()
    dataset.add("flat", np.full(image.shape, 7, np.uint8), flat)
    assert isinstance(read_pair(dataset["empty"]), Fault)
    with pytest.raises(VeinSegError, match="far from the model's"):
        prepare_sample(read_pair(dataset["blot"]), CARD)
    with pytest.raises(VeinSegError, match="shows nothing"):
        prepare_sample(read_pair(dataset["flat"]), CARD)
    with pytest.raises(VeinSegError, match="far from the model's"):
        prepare_sample(read_pair(dataset["f0_1"]), ModelCard(working_vein_width=200.0))
