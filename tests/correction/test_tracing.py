"""Paths follow dark veins, exactly near the click and after the next click everywhere."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from napari_veinseg.correction.change import disk_union
from napari_veinseg.correction.tracing import Tracer, path_cost, snapped
from napari_veinseg.correction.vein_profile import widths_along


def wave(width: int, height: int = 120) -> np.ndarray:
    """Return the middle of a bent vein, a point a column."""
    x = np.arange(width, dtype=float)
    return np.stack([height / 2 + 20 * np.sin(x / 25), x], axis=1)


def photograph(shape: tuple[int, int], line: np.ndarray, width: float, depth=0.3) -> np.ndarray:
    vein = ndimage.gaussian_filter(disk_union(shape, line, width / 2).astype(float), 1.5)
    noise = np.random.default_rng(0).normal(0, 1.5, shape)
    light = np.linspace(90, 170, shape[1])
    return (light * (1 - depth * vein) + noise).clip(0, 255).astype(np.uint8)


def farthest(path: np.ndarray, truth: np.ndarray) -> float:
    return max(cKDTree(path).query(truth)[0].max(), cKDTree(truth).query(path)[0].max())


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    line = wave(300)
    return photograph((120, 300), line, 6), line


def test_two_clicks_follow_a_bent_vein(scene):
    image, line = scene
    tracer = Tracer(path_cost(image, 6), line[20])
    path = tracer.path(line[270])
    assert farthest(path, line[20:271]) <= 2
    np.testing.assert_array_equal(path[[0, -1]], np.rint(line[[20, 270]]))
    assert np.abs(np.diff(path, axis=0)).max() == 1


def test_the_preview_in_the_window_is_the_path(scene):
    image, line = scene
    tracer = Tracer(path_cost(image, 6), line[20])
    np.testing.assert_array_equal(tracer.preview(line[200]), tracer.path(line[200]))


def test_beyond_the_window_the_preview_is_near_and_the_click_is_exact(scene):
    image, line = scene
    tracer = Tracer(path_cost(image, 6), line[5], window=100)
    far = tracer.preview(line[290])
    assert farthest(far, line[5:291]) <= 6
    np.testing.assert_array_equal(far[[0, -1]], np.rint(line[[5, 290]]))
    assert farthest(tracer.path(line[290]), line[5:291]) <= 2


def test_a_cursor_outside_the_image_gives_a_path_to_its_border(scene):
    image, _ = scene
    path = Tracer(path_cost(image, 6), (-5, -5)).path((500, 900))
    np.testing.assert_array_equal(path[[0, -1]], [[0, 0], [119, 299]])


def test_beyond_the_window_a_path_may_run_along_the_far_border():
    image = np.full((1003, 1003), 150, np.uint8)
    image[-3:] = 90
    path = Tracer(path_cost(image, 5), (1002, 2), window=200).path((1002, 1002))
    np.testing.assert_array_equal(path[[0, -1]], [[1002, 2], [1002, 1002]])
    assert path.max() <= 1002


def test_the_cost_does_not_depend_on_the_unit_of_grey_levels(scene):
    image, _ = scene
    np.testing.assert_allclose(
        path_cost(image, 6), path_cost(image.astype(np.float64) * 257 - 1000, 6), rtol=1e-3
    )


def test_a_flat_image_gives_a_straight_path():
    path = Tracer(path_cost(np.full((50, 50), 7), 5), (10, 10)).path((10, 40))
    np.testing.assert_array_equal(path[:, 0], 10)


def test_the_probability_decides_between_two_valleys():
    upper, lower = (wave(200) + np.array([[shift, 0]]) for shift in (-15, 15))
    image = np.minimum(photograph((120, 200), upper, 6), photograph((120, 200), lower, 6))
    probability = disk_union(image.shape, lower, 3).astype(np.float32)
    middle = [wave(200)[0], wave(200)[-1]]
    path = Tracer(path_cost(image, 6, probability), middle[0]).path(middle[1])
    assert np.median(np.abs(path[:, 0] - np.interp(path[:, 1], lower[:, 1], lower[:, 0]))) < 2


def test_a_click_beside_a_vein_is_moved_onto_it(scene):
    image, line = scene
    row, column = snapped(path_cost(image, 6), line[100] + [3, 0], 5)
    assert np.hypot(row - line[100][0], column - line[100][1]) <= 2.5


@pytest.mark.parametrize("width", [4, 6, 9])
def test_the_width_is_measured_along_the_path(width):
    line = wave(200)
    found = widths_along(photograph((120, 200), line, width), line, 6)
    assert found.shape == (200,)
    assert np.median(found) == pytest.approx(width, rel=0.2)


def test_where_no_vein_is_the_width_is_the_expected_one():
    np.testing.assert_array_equal(widths_along(np.full((60, 60), 9.0), wave(60, 60), 5), 5)
