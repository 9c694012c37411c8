"""Contrast for the eye."""

import numpy as np

from napari_veinseg.data.contrast import enhance_contrast


def test_a_faint_line_on_a_slope_stands_out():
    image = np.tile(np.linspace(20, 220, 200, dtype=np.float32), (100, 1))
    image[48:53] -= 4
    shown = enhance_contrast(image).astype(float)
    assert shown.shape == image.shape
    gain = (shown[30] - shown[50])[40:160].mean() / 255 / (4 / 200)
    assert gain > 1.3


def test_anything_can_be_shown():
    for image in (np.zeros((9, 9)), np.full((20, 30, 3), np.nan), np.eye(16, dtype=bool)):
        assert enhance_contrast(image).dtype == np.uint8
