"""A click finds one vein, on a path without branches, or says why there is none."""

import re

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.correction.lines import Line, vein_region, veins_from_lines
from napari_veinseg.correction.vein_finder import VeinFinder

SHAPE = (120, 180)
TRUNK = Line(np.array([[60.0, 0], [50, 60], [70, 120], [60, 179]]), 6)
BRANCH = Line(np.array([[69.0, 118], [30, 170]]), 5)
FAR = Line(np.array([[100.0, 20], [105, 150]]), 5)


def drawn(*lines: Line) -> np.ndarray:
    empty = np.zeros(SHAPE, np.uint8)
    return veins_from_lines(empty, lines).applied_to(empty)


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    vein = ndimage.gaussian_filter((drawn(TRUNK, BRANCH, FAR) == 1).astype(float), 1.2)
    return 150 - 50 * vein + np.random.default_rng(0).normal(0, 1.5, SHAPE)


@pytest.fixture(scope="module")
def finder(grey):
    return VeinFinder(grey, 6)


def dice(a, b) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def region(found) -> np.ndarray:
    return vein_region(SHAPE, found.path, found.widths)


def test_the_missing_branch_is_found_up_to_the_mask_and_no_other_vein(finder):
    before = drawn(TRUNK) == 1
    found = finder.find(before, (48, 146))
    assert dice(region(found) | before, drawn(TRUNK, BRANCH) == 1) > 0.9
    assert not region(found)[90:].any()
    assert ndimage.label(region(found) | before, np.ones((3, 3)))[1] == 1  # joined to the trunk


@pytest.mark.parametrize("click", [(55, 75), (58, 20), (66, 140), (50, 60)])
def test_a_vein_is_followed_past_its_branches_to_both_borders(finder, click):
    found = finder.find(np.zeros(SHAPE), click)
    assert not found.refusal
    assert dice(region(found), drawn(TRUNK) == 1) > 0.85
    steps = np.linalg.norm(np.diff(found.path, axis=0), axis=1)
    assert steps.max() < 2  # one path: no jump to another branch


def test_a_click_beside_a_vein_means_it_and_one_farther_off_does_not(finder):
    assert not finder.find(np.zeros(SHAPE), (106, 80)).refusal
    assert finder.find(np.zeros(SHAPE), (85, 30)).refusal


def edge() -> np.ndarray:
    rows = np.arange(SHAPE[0])[:, None] * np.ones(SHAPE[1])
    return np.where(rows < 60, 60.0, 160.0)


def shadowed_edge() -> np.ndarray:
    return edge() - 8 * (np.abs(np.arange(SHAPE[0]) - 58) < 3)[:, None]


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (lambda: np.full(SHAPE, 90.0), "darker than both|noise"),
        (edge, "darker than both"),
        (shadowed_edge, "edge"),
        (lambda: np.full(SHAPE, 90.0) + (np.abs(np.arange(SHAPE[1]) - 75) < 2) * -30.0, ""),
    ],
)
def test_what_is_no_vein_is_refused_with_its_reason(image, reason):
    noise = np.random.default_rng(1).normal(0, 0.3, SHAPE)
    found = VeinFinder(ndimage.gaussian_filter(image(), 1) + noise, 6).find(
        np.zeros(SHAPE), (58, 75)
    )
    assert re.search(reason, found.refusal)
    assert bool(len(found.path)) == (reason == "")


@pytest.mark.parametrize("seed", range(8))
def test_noise_alone_is_no_vein(seed):
    noise = np.random.default_rng(seed).normal(100, 10, SHAPE)
    assert VeinFinder(noise, 8).find(np.zeros(SHAPE), (60, 90)).refusal


def test_a_click_on_a_vein_of_the_mask_is_refused(finder):
    found = finder.find(drawn(TRUNK), (50, 60))
    assert "already" in found.refusal
    assert len(found.path) == 0


@pytest.mark.parametrize("click", [(-4, 60), (60, 400), (119, 179)])
def test_a_click_outside_is_taken_at_the_border(finder, click):
    finder.find(np.zeros(SHAPE), click)
