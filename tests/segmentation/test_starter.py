"""The shipped starter on images that it has never seen, through the public path."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.transform import resize

from napari_veinseg import VeinModel
from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_finger
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.model.store import resolve

FINGERS = SynthesisSettings(tree_share=0.0, contrast=(0.2, 0.4), noise=(0.5, 2.0), white=(140, 220))
UNSEEN = range(2_000_000, 2_000_008)


@pytest.fixture(scope="module")
def starter() -> VeinModel:
    return VeinModel.load("starter", device="cpu")


def test_it_is_small() -> None:
    assert resolve("starter").stat().st_size <= 4_000_000


def test_its_card_says_how_good_it_is(starter: VeinModel) -> None:
    assert sum(weight.numel() for weight in starter.network.parameters()) <= 950_000
    assert {"vein_iou", "cldice", "calibration_error"} <= {m.name for m in starter.card.metrics}
    assert starter.card.licence == "BSD-3-Clause"


def test_it_finds_the_veins_of_unseen_fingers(starter: VeinModel) -> None:
    scores = []
    for seed in UNSEEN:
        finger = synthetic_finger(seed, (120, 240), FINGERS)
        scores.append(mask_metrics(starter.segment(finger.image), finger.mask))
    assert np.mean([score["vein_iou"] for score in scores]) >= 0.55
    assert np.mean([score["cldice"] for score in scores]) >= 0.75


EVEN = {"hair_share": 0.0, "crease_share": 0.0, "object_share": 0.0, "mottle": (0.0, 0.01)}


@pytest.mark.parametrize(
    ("tissue", "most"),
    [
        ({**EVEN, "shadow": (0.0, 0.1)}, 0.02),
        ({}, 0.04),  # hairs, bars and dark streaks: who leaves these out leaves out faint veins
    ],
)
def test_it_marks_little_where_there_is_no_vein(starter, tissue, most) -> None:
    none = {"trunks": (0, 0), "bridges": (0, 0), "branches": (0, 0), "bar_share": 1.0}
    bare = replace(FINGERS, **none, **tissue)
    shares = [
        (starter.segment(synthetic_finger(seed, (120, 240), bare).image) == 1).mean()
        for seed in range(UNSEEN.start, UNSEEN.start + 32)
    ]
    assert np.mean(shares) <= most


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_same_finger_at_another_scale_gives_the_same_mask(
    starter: VeinModel, factor: float
) -> None:
    overlaps = []
    for seed in UNSEEN:
        image = synthetic_finger(seed, (200, 360), FINGERS).image.astype(np.float32)
        mask = starter.segment(image) == 1
        smaller = tuple(round(side * factor) for side in image.shape)
        again = starter.segment(resize(image, smaller, order=1, anti_aliasing=factor < 1)) == 1
        back = resize(again.astype(float), image.shape, order=1, anti_aliasing=factor > 1) >= 0.5
        overlaps.append((mask & back).sum() / max((mask | back).sum(), 1))
    assert np.mean(overlaps) >= 0.8
