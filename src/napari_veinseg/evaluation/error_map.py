"""Where a mask agrees with the truth, and the one table of colours that shows it."""

from enum import IntEnum
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_veinseg.data.array_types import Mask
from napari_veinseg.data.labels import UNSURE, VEIN
from napari_veinseg.errors import VeinSegError


class Agreement(IntEnum):
    """What a pixel is by prediction and truth; a prediction's unsure counts as background."""

    NO_VEIN = 0
    FOUND = 1
    MISSED = 2
    TOO_MUCH = 3
    UNSURE = 4


NAMES = {
    Agreement.FOUND: "found",
    Agreement.MISSED: "missed",
    Agreement.TOO_MUCH: "too much",
    Agreement.UNSURE: "unsure in the truth",
}
"""What legends call them."""

# Okabe and Ito's colours, told apart in every form of colour blindness ("Color universal design",
# 2008).
COLOURS = {
    Agreement.FOUND: "#f0f0f0",
    Agreement.MISSED: "#56b4e9",
    Agreement.TOO_MUCH: "#e69f00",
    Agreement.UNSURE: "#6e6e6e",
}
"""How pictures, the page and the viewer paint them; what is no vein in both stays black."""


def agreement(prediction: Mask, truth: Mask) -> Annotated[NDArray[np.uint8], "of the same shape"]:
    """Label each pixel by prediction and truth, as `Agreement` says."""
    if prediction.shape != truth.shape:
        raise VeinSegError(
            f"A prediction of shape {prediction.shape} cannot be held against a truth of shape "
            f"{truth.shape}: give masks of the same image."
        )
    predicted, true = prediction == VEIN, truth == VEIN
    labels = np.where(predicted, Agreement.TOO_MUCH, Agreement.NO_VEIN).astype(np.uint8)
    labels[true] = np.where(predicted[true], Agreement.FOUND, Agreement.MISSED)
    labels[truth == UNSURE] = Agreement.UNSURE
    return labels
