"""How good a model is on sensors that it has not seen, through the public path.

    python recipes/measure.py MODEL                             # the held-out sensors
    python recipes/measure.py MODEL.safetensors --data DATASET  # real or other images
    python recipes/measure.py MODEL.safetensors --threshold 0.5 # the card's from now on

The first prints a table over thresholds, and one with intervals.  The second scores a dataset
(`images/`, `masks/`) as a user would and adds the figures to the card in the model's file; the
third adds those of the held-out sensors at that threshold.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from image_pool import Item, make_items
from sensors import FIRST_SEED, HELD_OUT

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.data.synthesis import SynthesisSettings
from napari_veinseg.evaluation.bootstrap import Grouping
from napari_veinseg.evaluation.metrics import mask_metrics
from napari_veinseg.evaluation.probability_metrics import BINS, ScoreHistogram, score_histogram
from napari_veinseg.model.card import Metric
from napari_veinseg.segmentation.vein_model import VeinModel

_IMAGES = 24  # of each sensor
_SCORES = ("vein_iou", "dice", "cldice", "centreline_precision", "centreline_recall")
_TOLD = ("vein_iou", "cldice")
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)

Seen = dict[str, list[tuple[np.ndarray, Item]]]  # probability and truth of a sensor's images


def measure_hold_out(model: VeinModel) -> tuple[Metric, ...]:
    """Segment held-out sensors with the measured vein width, and with the true one."""
    threshold = model.card.threshold
    seeds = range(FIRST_SEED, FIRST_SEED + _IMAGES)
    sensors = {name: make_items(seeds, settings) for name, settings in HELD_OUT.items()}
    seen = {
        name: [model.probability(item.image) for item in items] for name, items in sensors.items()
    }
    histograms = [each for name in sensors for each in _histograms(seen[name], sensors[name])]
    metrics = [
        _metric(
            "calibration_error",
            "pooled pixels",
            _pooled(histograms).calibration_error,
            "all sensors",
        )
    ]
    for name, items in sensors.items():
        metrics += _sensor_metrics(f"sensor '{name}'", items, seen[name], threshold)
        told = [model.probability(item.image, vein_width=item.width) for item in items]
        metrics += _sensor_metrics(f"sensor '{name}', true vein width", items, told, threshold)
    return tuple(metrics)


def _histograms(probabilities: list[np.ndarray], items: list[Item]) -> list[ScoreHistogram]:
    return [
        score_histogram(probability, item.mask)
        for probability, item in zip(probabilities, items, strict=True)
    ]


def _pooled(histograms: list[ScoreHistogram]) -> ScoreHistogram:
    pooled = histograms[0]
    for histogram in histograms[1:]:
        pooled = pooled + histogram
    return pooled


def _sensor_metrics(
    data: str, items: list[Item], probabilities: list[np.ndarray], threshold: float
) -> list[Metric]:
    rows = [
        mask_metrics((probability >= threshold).astype(np.uint8), item.mask)
        for item, probability in zip(items, probabilities, strict=True)
    ]
    return [
        _metric(name, "mean of images", float(np.mean([row[name] for row in rows])), data)
        for name in _SCORES
    ]


def _metric(name: str, mean: str, value: float, data: str) -> Metric:
    return Metric(name=name, mean=mean, value=round(value, 4), data=f"held-out synthetic, {data}")


def measure_dataset(model: VeinModel, folder: Path) -> tuple[Metric, ...]:
    """Segment all images of a dataset as a user would, and score them."""
    samples = list(Dataset.open(folder))
    rows = [mask_metrics(model.segment(sample.image()), sample.mask()) for sample in samples]
    data = f"{folder.resolve().name}, {len(rows)} images"
    return tuple(
        Metric(
            name=name,
            mean="mean of images",
            value=round(float(np.mean([row[name] for row in rows])), 4),
            data=data,
        )
        for name in _SCORES
    )


def _seen(model: VeinModel) -> Seen:
    """Segment the held-out sensors, and fingers without any vein."""
    without = replace(SynthesisSettings(), tree_share=0.0, trunks=(0, 0))
    seeds = range(FIRST_SEED, FIRST_SEED + _IMAGES)
    return {
        name: [(model.probability(item.image), item) for item in make_items(seeds, settings)]
        for name, settings in (HELD_OUT | {"without": without}).items()
    }


def _rows(pairs: list[tuple[np.ndarray, Item]], threshold: float) -> list[dict[str, float]]:
    return [
        mask_metrics((probability >= threshold).astype(np.uint8), item.mask)
        for probability, item in pairs
    ]


def threshold_table(seen: Seen, chosen: float) -> str:
    """Score the sensors at several thresholds."""
    lines = [
        f"| threshold | {' | '.join(f'{name}: vein IoU, clDice' for name in HELD_OUT)} "
        "| marked where no vein is |",
        "|---" * (len(HELD_OUT) + 2) + "|",
    ]
    for threshold in sorted({*_THRESHOLDS, chosen}):
        cells = []
        for name in HELD_OUT:
            rows = _rows(seen[name], threshold)
            scores = (float(np.mean([row[score] for row in rows])) for score in _TOLD)
            cells.append(", ".join(f"{score:.3f}" for score in scores))
        marked = np.mean([(probability >= threshold).mean() for probability, _ in seen["without"]])
        lines.append(f"| {threshold:.2f} | {' | '.join(cells)} | {marked:.1%} |")
    return "\n".join(lines)


def interval_table(seen: Seen, threshold: float) -> str:
    """Give other means of the figures at the card's threshold, and how sure they are."""
    lines = [
        "| sensor | vein IoU: mean of images (95 %) | median | of all pixels "
        "| clDice: mean of images (95 %) |",
        "|---|---|---|---|---|",
    ]
    for name in HELD_OUT:
        rows = _rows(seen[name], threshold)
        alone = Grouping(np.arange(len(rows)), by_finger=True)  # each image is another finger
        iou, cldice = (alone.mean([row[score] for row in rows]) for score in _TOLD)
        median = np.median([row["vein_iou"] for row in rows])
        histograms = _histograms(*map(list, zip(*seen[name], strict=True)))
        pooled = _pooled(histograms).vein_iou()[round(threshold * BINS)]
        lines.append(f"| {name} | {iou:.2f} | {median:.2f} | {pooled:.2f} | {cldice:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables, or put figures into the model's card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    into_card = parser.add_mutually_exclusive_group()
    into_card.add_argument("--data", type=Path, help="a dataset whose figures go into the card")
    into_card.add_argument("--threshold", type=float, help="the card's from now on")
    arguments = parser.parse_args()
    model = VeinModel.load(arguments.model)
    if arguments.threshold:
        model.card = model.card.model_copy(update={"threshold": arguments.threshold})
        measured = measure_hold_out(model)
    elif arguments.data:
        measured = measure_dataset(model, arguments.data)
    else:
        seen = _seen(model)
        print(threshold_table(seen, model.card.threshold))
        print(interval_table(seen, model.card.threshold))
        return
    for metric in measured:
        print(f"{metric.data}: {metric.name} ({metric.mean}) {metric.value}")
    renewed = {metric.data for metric in measured}
    others = tuple(metric for metric in model.card.metrics if metric.data not in renewed)
    model.card = model.card.model_copy(update={"metrics": measured + others})
    model.save(arguments.model, half=True)


if __name__ == "__main__":
    main()
