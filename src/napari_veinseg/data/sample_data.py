"""Sample images with their truth, made on the spot: for napari's sample menu and `veinseg demo`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_veinseg.data.array_types import AnyImage
from napari_veinseg.data.labels import LABEL_COLOURS
from napari_veinseg.data.synthesis import SynthesisSettings, synthetic_field, synthetic_finger

LayerData = tuple[npt.NDArray[np.uint8], dict[str, Any], str]
"""What napari makes a layer of: the data, the layer's arguments, the kind of layer."""

_FINGER_SEED = 4
_STACK_SEED = 1
_FIELD_SEED = 10
_FINGER_SHAPE = (240, 480)
# A well lit finger of a clean sensor: samples show the package, not the worst of all sensors.
_CLEAR = SynthesisSettings(
    tree_share=0,
    crop_share=0,
    trunks=(3, 4),
    contrast=(0.25, 0.45),
    contrast_spread=0.2,
    noise=(0.5, 1.5),
    white=(170, 220),
    object_share=0,
    bar_share=0,
    hair_share=0,
    stripe_share=0,
    motion_share=0,
)


@dataclass(frozen=True)
class DemoImage:
    """An image and the veins that were drawn into it."""

    name: str
    """A short name, good for a file."""
    image: AnyImage
    mask: npt.NDArray[np.uint8]
    """The truth in the same shape: 0 background, 1 vein, 2 unsure (hardly to be seen)."""


def sample_finger() -> DemoImage:
    """Make one finger of 240 x 480 px, the same in every call."""
    finger = synthetic_finger(_FINGER_SEED, _FINGER_SHAPE, _CLEAR)
    return DemoImage("finger", finger.image, finger.mask)


def sample_stack() -> DemoImage:
    """Make five shots of one finger, which moved a little between them; the same in every call."""
    shots = [synthetic_finger(_STACK_SEED, _FINGER_SHAPE, _CLEAR, shot) for shot in range(5)]
    return DemoImage(
        "five_shots", np.stack([s.image for s in shots]), np.stack([s.mask for s in shots])
    )


def sample_field() -> DemoImage:
    """Make a larger field of branching veins, as on the back of a hand; the same in every call."""
    field = synthetic_field(_FIELD_SEED)
    return DemoImage("hand_field", field.image, field.mask)


DEMO_IMAGES: tuple[Callable[[], DemoImage], ...] = (sample_finger, sample_stack, sample_field)
"""Every sample, in the order in which a reader should meet them."""


def _layers(make: Callable[[], DemoImage]) -> list[LayerData]:
    sample = make()
    return [
        (sample.image, {"name": sample.name}, "image"),
        (
            sample.mask,
            {"name": f"{sample.name} truth", "opacity": 0.5, "colormap": dict(LABEL_COLOURS)},
            "labels",
        ),
    ]


# The contributions of the manifest.
finger_layers, stack_layers, field_layers = (partial(_layers, make) for make in DEMO_IMAGES)
