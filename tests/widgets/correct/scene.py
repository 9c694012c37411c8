"""What the tests of correcting look at: a rendered finger, its true mask, and small helpers."""

import numpy as np
from qtpy.QtWidgets import QPushButton
from scipy import ndimage

from napari_veinseg.correction.lines import Line, veins_from_lines

SHAPE = (120, 180)


TRUNK = Line(np.array([[60.0, 0], [50, 60], [70, 120], [60, 179]]), 6)


BRANCH = Line(np.array([[69.0, 118], [30, 170]]), 5)


PLACES = {
    "plain": {},
    "turned": {"scale": (0.5, 0.5), "rotate": 30, "translate": (40, -25)},
}


def truth() -> np.ndarray:
    empty = np.zeros(SHAPE, np.uint8)
    return veins_from_lines(empty, [TRUNK, BRANCH]).applied_to(empty)


def photograph() -> np.ndarray:
    vein = ndimage.gaussian_filter((truth() == 1).astype(float), 1.2)
    noise = np.random.default_rng(0).normal(0, 1.5, SHAPE)
    return (150 - 50 * vein + noise).astype(np.uint8)


def dice(a, b) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def button_of(widget, text):
    return next(b for b in widget.findChildren(QPushButton) if b.text() == text)
