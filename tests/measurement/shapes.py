"""Drawn veins of known width and length."""

import numpy as np


def capsule(start, end, width, shape=(200, 300)):
    """Draw a straight vein with round ends; `start` and `end` are the tips of its centreline."""
    # Off the grid by a little: else a width of 4 px around a pixel's middle would hold five.
    start, end = np.asarray(start) + 0.001, np.asarray(end) + 0.001
    along = end - start
    offset = np.stack(np.indices(shape), axis=-1) - start
    share = np.clip(offset @ along / (along @ along), 0, 1)
    return np.linalg.norm(offset - share[..., None] * along, axis=-1) <= width / 2


def ring(centre, radius, width, shape=(200, 300)):
    distance = np.linalg.norm(np.stack(np.indices(shape), axis=-1) - np.asarray(centre), axis=-1)
    return np.abs(distance - radius) <= width / 2
