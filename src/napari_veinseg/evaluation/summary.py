"""A comparison in few figures, each with the reduction in its name and its 95 % interval."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import add

import numpy as np

from napari_veinseg.data.tables import Value
from napari_veinseg.evaluation.bootstrap import Estimate, Grouping, grouping
from napari_veinseg.evaluation.comparison import Comparison, ContenderResult, ImageResult
from napari_veinseg.evaluation.scores import ScoreHistogram, best_threshold

SHARE = "share_of_images_with_vein_iou_of_at_least_0.5"
COMPARED = ("vein_iou", "cldice", "centreline_precision", "centreline_recall")
"""Metrics of which paired differences are given."""


@dataclass(frozen=True)
class Summary:
    """One contender in few figures, without the images that it was trained on.

    Parameters
    ----------
    name, kind : str
        Who.
    images, seen : int
        How many images count, and how many were left out because the model was trained on them.
    by_finger : bool
        Whether intervals resample fingers; else they resample images and are optimistic.
    mean_of_images : dict of str to Estimate
        Each metric, averaged over images.
    pooled : dict of str to float
        Metrics of the counts of all images together; score metrics only where there are scores.
    threshold : tuple of float or None
        The threshold with the best vein IoU, mean of images, and that IoU: fitted to these very
        images and thus optimistic.
    """

    name: str
    kind: str
    images: int
    seen: int
    by_finger: bool
    mean_of_images: dict[str, Estimate]
    pooled: dict[str, float]
    threshold: tuple[float, float] | None


@dataclass(frozen=True)
class Difference:
    """Two contenders on the images that neither was trained on.

    Parameters
    ----------
    first, second : str
        Their names.
    images : int
        How many images both count.
    of : dict of str to Estimate
        First minus second of each compared metric, mean of images.
    """

    first: str
    second: str
    images: int
    of: dict[str, Estimate]


def summarise(result: ContenderResult) -> Summary:
    """Reduce the images of a contender.

    Parameters
    ----------
    result : ContenderResult
        Its images.

    Returns
    -------
    Summary
        The figures; empty where it was trained on every image.
    """
    unseen = result.unseen
    histograms = [image.histogram for image in unseen if image.histogram]
    groups = _groups(unseen)
    values = {name: [image.metrics[name] for image in unseen] for name in metric_names(unseen)}
    if unseen:
        values[SHARE] = [float(iou >= 0.5) for iou in values["vein_iou"]]
    return Summary(
        result.contender.name,
        result.contender.kind,
        len(unseen),
        len(result.images) - len(unseen),
        bool(unseen) and groups.by_finger,
        {name: groups.mean(each) for name, each in values.items()},
        _pooled(unseen, histograms, result.contender.kind),
        best_threshold(histograms) if histograms else None,
    )


def _groups(images: list[ImageResult]) -> Grouping:
    return grouping([image.sample.finger for image in images])


def metric_names(images: list[ImageResult]) -> list[str]:
    """List the metrics of images.

    Parameters
    ----------
    images : list of ImageResult
        The images.

    Returns
    -------
    list of str
        Their names, in order.
    """
    return list(images[0].metrics) if images else []


def _pooled(
    images: list[ImageResult], histograms: list[ScoreHistogram], kind: str
) -> dict[str, float]:
    if not images:
        return {}
    total = reduce(add, (image.counts for image in images))
    names = ("vein_iou", "two_class_mean_iou", "dice", "precision", "recall")
    figures = {name: float(getattr(total, name)) for name in names}
    if histograms:
        pool = reduce(add, histograms)
        figures |= {"roc_area": pool.roc_area, "average_precision": pool.average_precision}
        if kind == "model":  # the scores of baselines are no probabilities
            figures["calibration_error"] = pool.calibration_error
    return figures


def differences(comparison: Comparison) -> list[Difference]:
    """Compare the contenders in pairs, image by image, but no two baselines.

    Parameters
    ----------
    comparison : Comparison
        What was scored.

    Returns
    -------
    list of Difference
        Of each pair that has images in common that neither was trained on.
    """
    found = []
    for first, second in combinations(comparison.results, 2):
        if first.contender.kind == second.contender.kind == "baseline":
            continue
        pairs = [
            (one, other)
            for one, other in zip(first.images, second.images, strict=True)
            if not one.seen and not other.seen
        ]
        if pairs:
            groups = _groups([one for one, _ in pairs])
            gaps = {
                name: groups.mean([one.metrics[name] - other.metrics[name] for one, other in pairs])
                for name in COMPARED
            }
            found.append(Difference(first.contender.name, second.contender.name, len(pairs), gaps))
    return found


def image_rows(comparison: Comparison) -> Iterator[dict[str, Value]]:
    """Give the table by image: one row for each contender on each image.

    Parameters
    ----------
    comparison : Comparison
        What was scored.

    Yields
    ------
    dict
        `stem`, `model`, `finger`, `seen_in_training` and the metrics.
    """
    for result in comparison.results:
        for image in result.images:
            areas = {"roc_area": np.nan, "average_precision": np.nan}
            if image.histogram:
                areas = {name: getattr(image.histogram, name) for name in areas}
            yield {
                "stem": image.sample.stem,
                "model": result.contender.name,
                **image.metrics,
                **areas,
                "finger": image.sample.finger,
                "seen_in_training": "yes" if image.seen else "no",
            }
