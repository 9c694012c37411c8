"""Which shipped model an image asks for, where the one that was used does not suit it."""

import numpy as np

from napari_veinseg.data.array_types import AnyImage, Px, Share
from napari_veinseg.data.grey import is_colour
from napari_veinseg.model.store import FOREARM, STARTER, installed_models

_CAST = 0.3  # from the grey axis, in [0, 1]; see `colour_cast`
_THIN = 0.018  # of the shorter side; forearms have at most 0.016, fingers at least 0.021
_SOME = 10_000  # pixels


def suited_model(image: AnyImage, vein_width: Px, used: str | None) -> str:
    """Name the shipped model that suits an image better than the used one, if there is one.

    The starter knows close-ups of fingers.  A near-infrared photograph in colour has the cast of
    its camera, and in one of a whole forearm veins are thin beside the picture.  A vein width of 0
    is one that nobody knows.
    """
    if used != STARTER or not is_colour(image.shape) or vein_width <= 0:
        return ""
    is_thin = vein_width <= _THIN * min(image.shape[-3:-1])
    if not is_thin or colour_cast(image) < _CAST:
        return ""
    return FOREARM if any(model.name == FOREARM for model in installed_models()) else ""


def suggestion(suited: str) -> str:
    """Say why the model that `suited_model` found is suggested."""
    return (
        "This looks like a colour photograph of a whole scene, in which the starter marks more "
        f"than veins. '{suited}' learned from such photographs of forearms."
    )


def colour_cast(image: AnyImage) -> Share:
    """Measure how far from grey an image is as a whole.

    It is the mean distance of the strongest and the weakest of the three colours, as a share of the
    mean of the strongest; 0 for a grey or a black image.
    """
    if image.shape[-1] < 3:
        return 0.0
    plane = image.reshape(-1, *image.shape[-3:])[len(image) // 2 if image.ndim > 3 else 0]
    step = max(1, round((plane.shape[0] * plane.shape[1] / _SOME) ** 0.5))
    colours = np.asarray(plane[::step, ::step, :3], np.float64)
    strongest = colours.max(axis=-1)
    brightness = float(strongest.mean())
    if not np.isfinite(brightness) or brightness <= 0:
        return 0.0
    return float((strongest - colours.min(axis=-1)).mean()) / brightness
