"""A comparison in few figures, each with the reduction in its name and its 95 % interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import add

import numpy as np

from napari_veinseg.data.csv_tables import TableRow
from napari_veinseg.evaluation.bootstrap import (
    FEWEST_FINGERS,
    REPLICATES,
    Estimate,
    Grouping,
    grouping,
)
from napari_veinseg.evaluation.comparison import Comparison, ContenderResult, ImageResult
from napari_veinseg.evaluation.probability_metrics import best_threshold

SHARE = "share_of_images_with_vein_iou_of_at_least_0.5"
TO_CORRECT = "share_of_images_that_need_a_correction"
LOWER_IS_BETTER = (
    "hausdorff_95_px",
    "missed_length_px",
    "too_much_length_px",
    "corrections",
    TO_CORRECT,
)
COMPARED = ("vein_iou", "cldice", "centreline_precision", "centreline_recall")
"""Metrics of which paired differences are given."""


@dataclass(frozen=True)
class Summary:
    """One contender in few figures, of the images that count for it."""

    name: str
    kind: str
    images: int
    """How many count."""
    seen: int
    """On how many of all the model was trained."""
    by_finger: bool
    """Whether intervals resample fingers; else they resample images and are optimistic."""
    resampled: int
    """How many fingers or images that are."""
    mean_of_images: dict[str, Estimate]
    """Each metric, averaged over images."""
    pooled: dict[str, float]
    """Metrics of the counts of all images together; score metrics only where there are scores."""
    threshold: tuple[float, float] | None
    """The threshold with the best vein IoU, mean of images, and that IoU: fitted to these very
    images and thus optimistic."""

    @property
    def has_intervals(self) -> bool:
        """Whether there was enough to resample."""
        return self.resampled >= FEWEST_FINGERS


@dataclass(frozen=True)
class Difference:
    """Two contenders on the images that neither was trained on."""

    first: str
    second: str
    images: int
    """How many images both count."""
    by_finger: bool
    """Whether intervals resample fingers: only then can two contenders be told apart."""
    identical: bool
    """Whether both score exactly alike on every image."""
    of: dict[str, Estimate]
    """First minus second of each compared metric, mean of images."""


def summarise(result: ContenderResult) -> Summary:
    """Reduce the images of a contender; there are no figures where it was trained on all."""
    judged = result.judged
    groups = _groups(judged)
    names = judged[0].metrics if judged else ()
    values = {name: [image.metrics[name] for image in judged] for name in names}
    if judged:
        values[SHARE] = [float(iou >= 0.5) for iou in values["vein_iou"]]
        values[TO_CORRECT] = [float(count > 0) for count in values["corrections"]]
    return Summary(
        result.contender.name,
        result.contender.kind,
        len(judged),
        result.seen,
        bool(judged) and groups.by_finger,
        groups.count if judged else 0,
        {name: groups.mean(each) for name, each in values.items()},
        _pooled(result) if judged else {},
        best_threshold(result.histograms) if result.histograms else None,
    )


def interval_note(summaries: Sequence[Summary]) -> str:
    """Say what the intervals of some means are, and of how many subjects or images."""
    each = [
        f"{summary.resampled} {'subjects' if summary.by_finger else 'images'}"
        for summary in summaries
        if summary.has_intervals
    ]
    if not each:
        return "There are too few images for intervals."
    return (
        f"Intervals are of 95 %, the percentiles of {REPLICATES:,} bootstrap draws of "
        f"{' or '.join(dict.fromkeys(each))}; there is none where all draws are alike."
    )


def worst_first(images: Sequence[ImageResult]) -> list[ImageResult]:
    """Order images by the work that is left: most length missed or too much first.

    Length goes before places to correct: an empty mask is one place, and all work is left.
    """

    def work(image: ImageResult) -> tuple[float, ...]:
        missed, too_much = (image.metrics[f"{kind}_length_px"] for kind in ("missed", "too_much"))
        return (-missed - too_much, -image.metrics["corrections"], image.metrics["vein_iou"])

    return sorted(images, key=work)


def _groups(images: list[ImageResult]) -> Grouping:
    return grouping([image.sample.finger for image in images])


def _pooled(result: ContenderResult) -> dict[str, float]:
    total = reduce(add, (image.counts for image in result.judged))
    names = ("vein_iou", "two_class_mean_iou", "dice", "precision", "recall")
    figures = {name: float(getattr(total, name)) for name in names}
    if result.histograms:
        pool = reduce(add, result.histograms)
        figures |= {"roc_area": pool.roc_area, "average_precision": pool.average_precision}
        if result.contender.kind == "model":  # the scores of baselines are no probabilities
            figures["calibration_error"] = pool.calibration_error
    return figures


def differences(comparison: Comparison) -> list[Difference]:
    """Compare the contenders in pairs, image by image, where neither was trained on it.

    No two baselines, and none that decides nothing.
    """
    deciding = [result for result in comparison.results if not result.undecided]
    found = []
    for first, second in combinations(deciding, 2):
        if first.contender.kind == second.contender.kind == "baseline":
            continue
        both = first.judged_stems & second.judged_stems
        pairs = [
            (one, other)
            for one, other in zip(first.images, second.images, strict=True)
            if one.sample.stem in both
        ]
        if pairs:
            groups = _groups([one for one, _ in pairs])
            gaps = {
                name: groups.mean([one.metrics[name] - other.metrics[name] for one, other in pairs])
                for name in COMPARED
            }
            names = first.contender.name, second.contender.name
            alike = all(one.metrics == other.metrics for one, other in pairs)
            found.append(Difference(*names, len(pairs), groups.by_finger, alike, gaps))
    return found


def image_rows(comparison: Comparison) -> Iterator[TableRow]:
    """Give the table by image: one row for each contender on each image.

    It has `stem`, `model`, the metrics, `finger`, `unsure_share`, `truth_unsure_share` (of what is
    drawn), `seen_in_training` and whether the row `counts` in the means.
    """
    for result in comparison.results:
        counting = result.judged_stems
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
                "unsure_share": image.unsure,
                "truth_unsure_share": image.truth_unsure,
                "seen_in_training": "yes" if image.seen else "no",
                "counts": "yes" if image.sample.stem in counting else "no",
            }
