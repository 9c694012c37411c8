"""Does it pay to average the probability over several scales?  Held-out sensors, simulated shots.

    python recipes/average_scales.py MODEL.safetensors

prints vein IoU and clDice of the hold-out at the threshold that it prefers, and the equal error
rate there, for the estimated vein width alone and for means of three widths around it.
"""

import argparse

import numpy as np
from numpy.typing import NDArray
from pool import Item, make_items
from sensors import FIRST_SEED, HELD_OUT
from shots import agreement

from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.evaluation.scores import best_threshold, score_histogram
from napari_veinseg.segmentation.settings import SegmentationSettings
from napari_veinseg.segmentation.vein_model import VeinModel

_IMAGES = 24  # of each sensor
_WAYS = {"one": (1.0,), "octaves of 0.35": (0.78, 1.0, 1.27), "octaves of 0.7": (0.62, 1.0, 1.62)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    model = VeinModel.load(parser.parse_args().model, device="cpu")
    seeds = range(FIRST_SEED, FIRST_SEED + _IMAGES)
    sensors = {name: make_items(seeds, settings) for name, settings in HELD_OUT.items()}
    titles = " | ".join(f"{name}: vein IoU, clDice, EER" for name in HELD_OUT)
    print(f"| scales | threshold | {titles} |\n|---|---{'|---' * len(HELD_OUT)}|")
    for way, factors in _WAYS.items():
        print(f"| {way} | {_cells(model, sensors, factors)} |", flush=True)


def _cells(model: VeinModel, sensors: dict[str, list[Item]], factors: tuple[float, ...]) -> str:
    seen = {
        name: [(averaged(model, item.image, factors), item.mask) for item in items]
        for name, items in sensors.items()
    }
    histograms = [score_histogram(*pair) for pairs in seen.values() for pair in pairs]
    threshold = best_threshold(histograms)[0]

    def segment(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        resolved = model.resolve(SegmentationSettings(threshold=threshold), image)
        return model.mask(averaged(model, image, factors), resolved)

    cells = [f"{threshold:.2f}"]
    for name, pairs in seen.items():
        rows = [mask_metrics((p >= threshold).astype(np.uint8), mask) for p, mask in pairs]
        means = (np.mean([row[score] for row in rows]) for score in ("vein_iou", "cldice"))
        scores = (f"{mean:.3f}" for mean in means)
        cells.append(f"{', '.join(scores)}, {agreement(segment, name).equal_error_rate.value:.1%}")
    return " | ".join(cells)


def averaged(
    model: VeinModel, image: NDArray[np.uint8], factors: tuple[float, ...]
) -> NDArray[np.float32]:
    """Average the probability over multiples of the estimated vein width."""
    width = model.resolve(SegmentationSettings(), image).vein_width
    seen = [model.probability(image, vein_width=width * factor) for factor in factors]
    mean: NDArray[np.float32] = np.mean(seen, axis=0)
    return mean


if __name__ == "__main__":
    main()
