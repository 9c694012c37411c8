"""The vein width of an image: right for clear veins, alike at every scale, never an error."""

import tracemalloc

import numpy as np
import pytest
from scipy import ndimage

from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width


def striped(shape: tuple[int, int], width: float, spacing: float) -> np.ndarray:
    """Give an image of wavy dark veins."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    place = (y + 6 * np.sin(x / 40)) % spacing - spacing / 2
    return (200 * (1 - 0.5 * np.exp(-0.5 * (place / (0.42 * width)) ** 2))).astype(np.float32)


@pytest.mark.parametrize("width", [3, 5, 8, 12])
def test_clear_veins_decide(width: int) -> None:
    estimate = estimate_vein_width(striped((200, 300), width, 5 * width))
    assert width / 2 < estimate < width * 2


@pytest.mark.parametrize("seed", [1, 4, 9, 12])
def test_twice_the_image_is_twice_the_width(seed: int) -> None:
    image = synthetic_finger(seed, (160, 300)).image.astype(np.float32)
    once = estimate_vein_width(image)
    twice = estimate_vein_width(ndimage.zoom(image, 2, order=1))
    assert twice / once == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((1, 1)),
        np.full((40, 60), 7.0),
        np.full((1, 500), 1e30),
        np.eye(9),
        np.random.default_rng(0).normal(size=(33, 47)),
    ],
    ids=["one pixel", "constant", "row", "tiny", "noise"],
)
def test_any_image_has_an_answer(image: np.ndarray) -> None:
    width = estimate_vein_width(image.astype(np.float32))
    assert np.isfinite(width)
    assert 1 <= width <= max(1, max(image.shape))


def test_a_large_image_is_sampled() -> None:
    large = np.tile(striped((1024, 1024), 40, 200), (4, 4))
    tracemalloc.start()
    try:
        estimate = estimate_vein_width(large)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 20 < estimate < 80
    assert taken < large.nbytes / 10
