"""How good a model is on sensors that it has not seen, through the public path."""

from dataclasses import dataclass

import numpy as np
from pool import Item, make_items
from sensors import FIRST_SEED, HELD_OUT

from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.evaluation.scores import ScoreHistogram, best_threshold, score_histogram
from napari_veinseg.model.card import Metric
from napari_veinseg.segmentation.vein_model import VeinModel

_IMAGES = 24  # of each sensor


@dataclass(frozen=True)
class HoldOut:
    """Figures of the held-out sensors, and the threshold that they prefer."""

    threshold: float
    metrics: tuple[Metric, ...]


def measure_hold_out(model: VeinModel) -> HoldOut:
    """Segment held-out sensors with the estimated vein width, and with the true one."""
    seeds = range(FIRST_SEED, FIRST_SEED + _IMAGES)
    sensors = {name: make_items(seeds, settings) for name, settings in HELD_OUT.items()}
    histograms: list[ScoreHistogram] = []
    probabilities = {}
    for name, items in sensors.items():
        probabilities[name] = [model.probability(item.image) for item in items]
        histograms += [
            score_histogram(probability, item.mask)
            for probability, item in zip(probabilities[name], items, strict=True)
        ]
    # Hundredths: the hold-out is too small to tell finer thresholds apart.
    threshold = round(best_threshold(histograms)[0], 2)
    metrics = [
        _metric("calibration_error", "pooled pixels", _pooled_error(histograms), "all sensors")
    ]
    for name, items in sensors.items():
        metrics += _sensor_metrics(f"sensor '{name}'", items, probabilities[name], threshold)
        told = [model.probability(item.image, vein_width=item.width) for item in items]
        metrics += _sensor_metrics(f"sensor '{name}', true vein width", items, told, threshold)
    return HoldOut(threshold, tuple(metrics))


def _pooled_error(histograms: list[ScoreHistogram]) -> float:
    """Pool histograms and give their calibration error."""
    pooled = histograms[0]
    for histogram in histograms[1:]:
        pooled = pooled + histogram
    return pooled.calibration_error


def _sensor_metrics(
    data: str, items: list[Item], probabilities: list[np.ndarray], threshold: float
) -> list[Metric]:
    rows = [
        mask_metrics((probability >= threshold).astype(np.uint8), item.mask)
        for item, probability in zip(items, probabilities, strict=True)
    ]
    return [
        _metric(name, "mean of images", float(np.mean([row[name] for row in rows])), data)
        for name in ("vein_iou", "dice", "cldice", "centreline_precision", "centreline_recall")
    ]


def _metric(name: str, mean: str, value: float, data: str) -> Metric:
    return Metric(name=name, mean=mean, value=round(value, 4), data=f"held-out synthetic, {data}")
