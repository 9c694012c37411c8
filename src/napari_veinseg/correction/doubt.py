"""Where to look next: the places, and the images, at which a model could not decide."""

from typing import Annotated, NamedTuple

import numpy as np
from scipy import ndimage

from napari_veinseg.data.array_types import Binary, Field, Probability, Px, Share

DoubtMap = Annotated[
    Field,
    "1 where the strongest vein nearby is just at the threshold, 0 where it is certain or where "
    "there is certainly none",
]

USUAL_WIDTH = 6.0
"""px of a vein, where too little is marked to measure it."""
_APART = 40  # px between two places
_MOST = 20  # places
_NEARLY = 0.6  # of the most likely pixel's probability


class Place(NamedTuple):
    """One place to look at."""

    row: int
    column: int
    """Both in px."""
    doubt: Share


def doubt_map(
    probability: Probability, vein_width: Px = USUAL_WIDTH, threshold: Share = 0.5
) -> DoubtMap:
    """Say how undecided a model was around each pixel.

    The border of a certain vein passes through every probability, too, so each pixel is judged
    by the most certain vein within a vein's width.
    """
    size = max(round(vein_width) | 1, 3)
    strongest = ndimage.maximum_filter(np.asarray(probability, np.float32), size, mode="nearest")
    doubt = np.where(
        strongest < threshold, strongest / threshold, (1 - strongest) / (1 - threshold)
    )
    return ndimage.gaussian_filter(doubt.astype(np.float32), size, mode="nearest")


def doubtful_places(doubt: DoubtMap, settled: Binary | None = None) -> list[Place]:
    """List the 20 most doubtful places, worst first, at least 40 px from each other.

    Their doubt is at least 0.2; what a person has settled is not asked again.
    """
    open_doubt = np.array(doubt, np.float32)
    if settled is not None:
        open_doubt[settled] = 0
    # A peak of a grid of cells is found without sorting every pixel of a large image.
    highest = ndimage.maximum_filter(open_doubt, _APART + 1, mode="constant")
    rows, columns = np.nonzero(open_doubt >= np.maximum(highest, 0.2))
    order = np.argsort(-open_doubt[rows, columns], kind="stable")
    chosen: list[Place] = []
    for index in order:
        row, column = int(rows[index]), int(columns[index])
        if all(np.hypot(row - p.row, column - p.column) >= _APART for p in chosen):
            chosen.append(Place(row, column, float(open_doubt[row, column])))
        if len(chosen) == _MOST:
            break
    return chosen


def candidate_at(probability: Probability, place: Place, vein_width: Px = USUAL_WIDTH) -> Binary:
    """Find what may be vein at a doubtful place: what a person is asked about there.

    That is the connected pixels around the most likely one within two vein widths that are nearly
    as likely, up to three vein widths and at least 20 px away.
    """
    rows, columns = np.ogrid[: probability.shape[0], : probability.shape[1]]
    away = np.hypot(rows - place.row, columns - place.column)
    near = np.where(away <= max(2 * vein_width, 4), probability, -1.0)
    peak = np.unravel_index(np.argmax(near), near.shape)
    likely = (probability >= _NEARLY * probability[peak]) & (away <= max(3 * vein_width, 20))
    pieces, _ = ndimage.label(likely, np.ones((3, 3)))
    return pieces == pieces[peak]


def image_doubt(
    probability: Probability, vein_width: Px = USUAL_WIDTH, threshold: Share = 0.5
) -> Share:
    """Average the doubt, in [0, 1], over what may be vein of an image."""
    doubt = doubt_map(probability, vein_width, threshold)
    weight = np.maximum(doubt, np.asarray(probability, np.float32))
    total = float(weight.sum())
    return float((doubt * weight).sum()) / total if total > 0 else 0.0
