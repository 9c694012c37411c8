"""Do masks of one finger agree from shot to shot?  Simulated shots of the held-out sensors.

    python recipes/shots.py MODEL.safetensors [MODEL.safetensors ...]

prints the equal error rate of Miura matching for each model and for maximum curvature (Miura 2005).
A stand-in for real shots of many fingers: pose, exposure, blur and noise change, the finger stays.
"""

import argparse
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sensors import HELD_OUT

from napari_veinseg.data.synthesis import synthetic_finger
from napari_veinseg.evaluation.baselines import maximum_curvature
from napari_veinseg.evaluation.consistency.pairs import choose_pairs
from napari_veinseg.evaluation.consistency.shot_consistency import (
    MaskConsistency,
    measure_consistency,
)
from napari_veinseg.measurement.vein_width_from_image import estimate_vein_width
from napari_veinseg.segmentation.vein_model import VeinModel

_FIRST_SEED = 2_000_000  # fingers of their own
_SHAPES = {"noisy": (250, 662), "bars": (240, 320), "faint": (240, 590)}

Segmenter = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+")
    parser.add_argument("--fingers", type=int, default=25)
    parser.add_argument("--shots", type=int, default=3)
    arguments = parser.parse_args()
    segmenters: dict[str, Segmenter] = {"maximum curvature": _maximum_curvature}
    segmenters |= {name: VeinModel.load(name, device="cpu").segment for name in arguments.models}
    print("| sensor | masks of | equal error rate (95 %) | d' |\n|---|---|---|---|")
    for sensor in HELD_OUT:
        for name, segment in segmenters.items():
            judged = agreement(segment, sensor, arguments.fingers, arguments.shots)
            rate = judged.equal_error_rate
            print(f"| {sensor} | {name} | {rate:.1%} | {judged.d_prime.value:.2f} |")


def agreement(
    segment: Segmenter, sensor: str, fingers: int = 25, shots: int = 3
) -> MaskConsistency:
    """Match the masks of simulated shots of a held-out sensor."""
    images = _shots(sensor, fingers, shots)
    pairs = choose_pairs(list(images), r"^(.+)_\d+$")
    return measure_consistency({stem: segment(image) for stem, image in images.items()}, pairs)


@cache
def _shots(sensor: str, fingers: int, shots: int) -> dict[str, NDArray[np.uint8]]:
    settings, shape = HELD_OUT[sensor], _SHAPES[sensor]
    return {
        f"{finger}_{shot}": synthetic_finger(_FIRST_SEED + finger, shape, settings, shot).image
        for finger in range(fingers)
        for shot in range(shots)
    }


def _maximum_curvature(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the stronger half of the curvature's maxima, as its authors do."""
    grey = image.astype(np.float32)
    strength = maximum_curvature(grey, estimate_vein_width(grey))
    return (strength > np.median(strength[strength > 0])).astype(np.uint8)


if __name__ == "__main__":
    main()
