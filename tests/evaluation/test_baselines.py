import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from napari_veinseg.evaluation import baselines
from napari_veinseg.evaluation.baselines import BASELINES, baseline_score
from napari_veinseg.evaluation.contenders import Baseline


def valley(angle, width=7.0, shape=(80, 110)):
    rows, columns = np.indices(shape)
    away = (rows - 40) * np.cos(angle) - (columns - 55) * np.sin(angle)
    return 150 - 60 * np.exp(-0.5 * (away / (width / 2.4)) ** 2), np.abs(away)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 4, np.pi / 2])
def test_a_valley_is_found_and_the_plain_is_not(name, angle):
    image, away = valley(angle)
    inner = (slice(8, -8), slice(8, -8))
    score = baseline_score(name, image, 7.0)
    assert score.dtype == np.float32
    assert score.min() >= 0
    assert score.max() <= 1
    strongest = score >= np.quantile(score, 0.99)
    assert away[inner][strongest[inner]].max() < 5
    followed = ndimage.maximum_filter(score, 5)[inner][away[inner] < 0.71]
    assert followed.min() > 10 * np.median(score)


@pytest.mark.parametrize("name", BASELINES)
def test_a_plain_image_has_no_vein(name):
    assert not (baseline_score(name, np.full((40, 50), 9, np.uint8), 6.0) >= 0.5).any()


@pytest.mark.parametrize("name", BASELINES)
def test_pixels_without_a_value_hide_no_vein(name):
    image = valley(0.2)[0].astype(np.float32)
    whole = Baseline(name).predict(None, image).mask
    image[10:12, 10] = np.nan, np.inf
    assert (Baseline(name).predict(None, image).mask != whole).mean() < 0.01
    assert not Baseline(name).predict(None, np.full((40, 50), np.nan)).mask.any()


def slow_votes(curvature, direction):
    """Maximum curvature voting by its definition, pixel by pixel."""
    votes = np.zeros_like(curvature)
    height, width = curvature.shape
    inside = lambda y, x: 0 <= y < height and 0 <= x < width  # noqa: E731
    for y, x in np.ndindex(height, width):
        if inside(y - direction[0], x - direction[1]):
            continue
        dent = []
        while inside(y, x):
            if curvature[y, x] > 0:
                dent.append((y, x))
            y, x = y + direction[0], x + direction[1]
            if dent and not (inside(y, x) and curvature[y, x] > 0):
                deepest = max(dent, key=lambda place: curvature[place])
                votes[deepest] += curvature[deepest] * len(dent)
                dent = []
    return votes


@settings(max_examples=30)
@given(arrays(np.float32, (6, 9), elements=st.integers(-3, 3).map(float)), st.integers(0, 3))
def test_votes_are_those_of_the_definition(curvature, number):
    # No two equal values: which of two equal depths wins is left open.
    curvature = curvature + np.arange(54, dtype=np.float32).reshape(6, 9) / 100
    direction = baselines._DIRECTIONS[number]
    votes = np.zeros_like(curvature)
    baselines._vote(votes, curvature, direction)
    np.testing.assert_allclose(votes, slow_votes(curvature, direction), rtol=1e-5)


def test_gaps_along_a_line_close():
    votes = np.zeros((9, 20), np.float32)
    votes[4, ::2] = 3
    assert (baselines._connected(votes)[4, 2:-3] == 3).all()


def test_noise_does_not_hide_a_vein():
    image, away = valley(0.2)
    image = ndimage.gaussian_filter(image + np.random.default_rng(0).normal(0, 8, image.shape), 0.7)
    score = baseline_score("maximum curvature", image, 7.0)
    assert score[away < 0.8].mean() > 1.7 * score[away > 10].mean()
