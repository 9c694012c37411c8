"""Synthetic fingers: repeatable, of any size, with a mask that lies on dark lines."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_field, synthetic_finger

CLEAR = SynthesisSettings(
    tree_share=0.0,
    crop_share=0.0,
    contrast=(0.4, 0.5),
    noise=(0.25, 0.3),
    white=(180, 200),
    crease_share=0.0,
    hair_share=0.0,
    bar_share=0.0,
    object_share=0.0,
    texture_share=0.0,
    stripe_share=0.0,
    jpeg_share=0.0,
    motion_share=0.0,
)


def test_the_same_seed_gives_the_same_finger() -> None:
    one, two, other = (synthetic_finger(seed, (64, 120)) for seed in (3, 3, 4))
    for part in ("image", "mask", "region"):
        np.testing.assert_array_equal(getattr(one, part), getattr(two, part))
    assert not np.array_equal(one.image, other.image)


@pytest.mark.parametrize("shape", [(60, 152), (16, 16), (152, 60), (97, 241), (480, 640)])
def test_any_shape(shape: tuple[int, int]) -> None:
    finger = synthetic_finger(7, shape)
    assert finger.image.shape == finger.mask.shape == finger.region.shape == shape
    assert finger.image.dtype == finger.mask.dtype == np.uint8
    assert finger.region.dtype == bool
    assert set(np.unique(finger.mask)) <= {0, 1, 2}


@pytest.mark.parametrize("seed", range(20))
def test_settings_decide_the_size_and_veins_stay_in_the_region(seed: int) -> None:
    settings = SynthesisSettings(height=(40, 80), aspect=(1.5, 2.0))
    finger = synthetic_finger(seed, settings=settings)
    height, width = finger.image.shape
    assert 40 <= height <= 80
    assert 1.45 <= width / height <= 2.05
    assert not (finger.mask[~finger.region] > 0).any()


def test_the_mask_follows_dark_lines() -> None:
    darker = []
    for seed in range(12):
        finger = synthetic_finger(seed, (120, 240), CLEAR)
        vein = finger.mask == 1
        deep = ndimage.binary_erosion(finger.region, iterations=6)
        beside = ndimage.binary_dilation(vein, iterations=8) & (finger.mask == 0)
        beside &= ~ndimage.binary_dilation(finger.mask > 0, iterations=2) & deep
        if (vein & deep).sum() < 50 or beside.sum() < 50:
            continue
        darker.append(finger.image[vein & deep].mean() / finger.image[beside].mean())
    assert len(darker) >= 8
    assert np.median(darker) < 0.95


@pytest.mark.parametrize("kind", ["crease_share", "hair_share", "bar_share", "texture_share"])
def test_what_is_no_vein_is_not_in_the_mask(kind: str) -> None:
    bare = replace(CLEAR, trunks=(0, 0), bridges=(0, 0), branches=(0, 0))
    for seed in range(4):
        plain = synthetic_finger(seed, (80, 160), bare)
        with_it = synthetic_finger(seed, (80, 160), replace(bare, **{kind: 1.0}))
        assert not np.array_equal(plain.image, with_it.image)
        assert not with_it.mask.any()


def test_veins_too_faint_to_be_seen_are_not_taught() -> None:
    faint = replace(CLEAR, contrast=(0.003, 0.004), contrast_spread=0.0)
    for seed in range(5):
        assert not (synthetic_finger(seed, (80, 160), faint).mask == 1).any()


def test_shots_of_a_finger_are_alike_and_not_the_same() -> None:
    def overlap(one: np.ndarray, two: np.ndarray) -> float:
        return (one & two).sum() / max((one | two).sum(), 1)

    same, different = [], []
    for seed in range(6):
        masks = [
            ndimage.binary_dilation(synthetic_finger(*who, settings=CLEAR).mask > 0, iterations=5)
            for who in ((seed, (100, 200)), (seed + 50, (100, 200)))
        ]
        again = synthetic_finger(seed, (100, 200), CLEAR, shot=1)
        assert not np.array_equal(again.image, synthetic_finger(seed, (100, 200), CLEAR).image)
        same.append(overlap(masks[0], ndimage.binary_dilation(again.mask > 0, iterations=5)))
        different.append(overlap(masks[0], masks[1]))
    assert np.mean(same) > np.mean(different) + 0.1


def test_a_field_is_wide_and_has_veins() -> None:
    field = synthetic_field(0, (256, 256))
    assert field.image.shape == (256, 256)
    assert 0.02 < (field.mask == 1).mean() < 0.6
