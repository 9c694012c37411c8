import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_veinseg.training import augmentation
from napari_veinseg.training.augmentation import Augment

SHAPE = (32, 48)
MIRRORS = [[], [1], [2], [1, 2]]


def deformed(crop, seed):
    """Deform alone: what shades the image leaves the truth as it is."""
    return Augment("full", SHAPE)(crop, seed)[1:]


@pytest.mark.parametrize("margin", [0, 4, 8])
def test_what_is_neither_turned_nor_bent_is_mirrored_alone(monkeypatch, margin):
    monkeypatch.setattr(augmentation, "_TURNED", 0)
    monkeypatch.setattr(augmentation, "_BENT", 0)
    crop = torch.rand(3, SHAPE[0] + margin, SHAPE[1] + margin)
    middle = crop[1:, margin // 2 :, margin // 2 :][:, : SHAPE[0], : SHAPE[1]]
    seen = set()
    for seed in range(20):
        found = deformed(crop, seed)
        alike = [
            number
            for number, axes in enumerate(MIRRORS)
            if torch.allclose(found, middle.flip(axes), atol=1e-4)
        ]
        assert len(alike) == 1
        seen |= set(alike)
    assert seen == set(range(4))


def test_a_crop_that_comes_smaller_is_enlarged_about_its_middle(monkeypatch):
    monkeypatch.setattr(augmentation, "_TURNED", 0)
    monkeypatch.setattr(augmentation, "_BENT", 0)
    crop = torch.rand(3, 24, 32)
    twice = functional.interpolate(crop[None, 1:], scale_factor=2, mode="bilinear")[0]
    middle = twice[:, 8:-8, 8:-8]
    for seed in range(8):
        found = Augment("full", SHAPE)(crop, seed, 0.5)[1:]
        assert any(torch.allclose(found, middle.flip(axes), atol=1e-4) for axes in MIRRORS)


def test_image_and_truth_move_together():
    blob = functional.avg_pool2d((torch.rand(1, 1, 44, 64) > 0.5).float(), 5, 1, 2)[0]
    crop = torch.cat([blob, blob, blob])
    for seed in range(20):
        vein, known = deformed(crop, seed)
        assert torch.equal(vein, known)


def test_deforming_keeps_to_its_limits(monkeypatch):
    """A step edge through the middle stays near it, whatever the chance."""
    monkeypatch.setattr(augmentation, "_BENT", 1)
    crop = torch.zeros(3, 60, 60)
    crop[:, 30:] = 1
    moved = [float((deformed(crop, seed)[0] - 0.5).mean().abs()) for seed in range(100)]
    assert 0.001 < np.mean(moved) < 0.1


def test_a_spline_of_equal_offsets_is_that_offset():
    basis = augmentation._spline_basis(100)
    assert torch.allclose(basis.sum(dim=1), torch.ones(100))
    assert (basis >= 0).all()
