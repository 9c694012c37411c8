"""The rows of a report's tables, and what they call the metrics."""

from collections.abc import Sequence
from typing import Annotated, Any

from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.comparison import Comparison, ContenderResult
from napari_veinseg.evaluation.contenders import Contender, Model
from napari_veinseg.evaluation.report.examples import Example
from napari_veinseg.evaluation.report.plot_colours import PAGE
from napari_veinseg.evaluation.summary import (
    COMPARED,
    LOWER_IS_BETTER,
    SHARE,
    TO_CORRECT,
    Difference,
    Summary,
    worst_first,
)

METRIC_NAMES = {
    "vein_iou": "Vein IoU",
    "dice": "Dice",
    "precision": "Pixel precision",
    "recall": "Pixel recall",
    "cldice": "clDice",
    "centreline_precision": "Centreline precision",
    "centreline_recall": "Centreline recall",
    "hausdorff_95_px": "Hausdorff 95 % (px)",
    SHARE: "Images with IoU ≥ 0.5",
    "two_class_mean_iou": "Two-class mean IoU",
    "roc_area": "ROC area",
    "average_precision": "Average precision",
    "calibration_error": "Calibration error",
    "missed_length_px": "Missed length (px)",
    "too_much_length_px": "Length too much (px)",
    "corrections": "Places to correct",
}
"""What the report and the widget call the metrics."""

_WORK = (TO_CORRECT, "corrections", "missed_length_px", "too_much_length_px")
_OF_PROBABILITIES = ("roc_area", "average_precision", "calibration_error")
POOLED = ("vein_iou", "dice", "precision", "recall", *_OF_PROBABILITIES)
MEANS = tuple(name for name in METRIC_NAMES if name not in {*_WORK, *_OF_PROBABILITIES})
_DIGITS = {"corrections": 1, "missed_length_px": 0, "too_much_length_px": 0, "hausdorff_95_px": 0}
_DASH = "\N{EN DASH}"
_MOST_ROWS = 200  # of the table image by image


def number(
    value: Annotated[float, "a figure"] | None, digits: int = 3, signed: bool = False
) -> str:
    """Write a figure with so many digits behind the point, a plus if signed; None as nothing."""
    if value is None:
        return ""
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def figure_cell(
    name: str, estimate: Estimate | None, images: int, *, css: str = "", signed: bool = False
) -> dict[str, str]:
    """Write a figure with its interval: lengths in whole px, shares as a number of images."""
    if estimate is None:
        return {"text": "", "interval": "", "css": ""}
    digits = _DIGITS.get(name, 3)
    text = number(estimate.value, digits, signed)
    if shares := name in (SHARE, TO_CORRECT):
        text = f"{round(estimate.value * images)} of {images}"
    if estimate.low is None or estimate.high is None:
        return {"text": text, "interval": "", "css": css}
    low, high = (
        f"{bound:.0%}" if shares else number(bound, digits, signed)
        for bound in (estimate.low, estimate.high)
    )
    return {"text": text, "interval": f"{low}{' to ' if signed else _DASH}{high}", "css": css}


def _who(index: int, name: str) -> dict[str, Any]:
    return {"name": name, "colour": PAGE.contender(index)}


def contender_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Tell who is compared, and what each has learned from."""
    rows = []
    for index, result in enumerate(comparison.results):
        contender = result.contender
        facts = {
            "kind": contender.kind,
            "threshold": _threshold(contender),
            "trained_on": _trained_on(contender),
        }
        seen = _seen(result, comparison.overlap.known_fingers[index])
        rows.append(_who(index, contender.name) | facts | seen)
    return rows


def _threshold(contender: Contender) -> str:
    if isinstance(contender, Model):
        return f"{contender.settings.threshold or contender.card.threshold:g}"
    return "strongest tenth" if contender.kind == "baseline" else "none"


def _trained_on(contender: Contender) -> str:
    if contender.kind == "baseline":
        return "nothing"
    said = contender.card.training_data.summary if contender.card else ""
    return said or ("its card does not say" if contender.card else "not known")


def _seen(result: ContenderResult, other_shots: Sequence[str]) -> dict[str, str]:
    """Count the evaluated images and fingers that a contender was trained on."""
    card, samples = result.contender.card, [image.sample for image in result.images]
    if result.contender.kind == "baseline":
        return {"images": "none", "fingers": "none"}
    if not card or not card.training_data.image_hashes:
        return {"images": "cannot be checked", "fingers": "cannot be checked"}
    fingers = {sample.finger for sample in samples}
    known = {image.sample.finger for image in result.images if image.seen} | set(other_shots)
    return {
        "images": f"{result.seen} of {len(samples)}",
        "fingers": "not all known" if "" in fingers else f"{len(known)} of {len(fingers)}",
    }


def work_row(index: int, summary: Summary) -> dict[str, Any]:
    """Give a contender's row of what a person would still have to correct."""
    return _who(index, summary.name) | {
        "images": summary.images,
        "cells": [
            figure_cell(name, summary.mean_of_images.get(name), summary.images) for name in _WORK
        ],
    }


def pooled_row(index: int, summary: Summary) -> dict[str, Any]:
    """Give a contender's row of figures of all pixels together."""
    threshold = summary.threshold or (None, None)
    return _who(index, summary.name) | {"figures": [*map(summary.pooled.get, POOLED), *threshold]}


def image_table(result: ContenderResult, index: int, examples: Sequence[Example]) -> dict[str, Any]:
    """Give the images of a contender, those with most work first."""
    links = {each.image.sample.stem: each.anchor(index) for each in examples}
    rows = [
        {
            "stem": image.sample.stem,
            "link": links.get(image.sample.stem, ""),
            "corrections": int(image.metrics["corrections"]),
            "missed": image.metrics["missed_length_px"],
            "too_much": image.metrics["too_much_length_px"],
            "iou": image.metrics["vein_iou"],
            "unsure": f"{image.unsure:.1%}",
        }
        for image in worst_first(result.judged)
    ]
    more = max(0, len(rows) - _MOST_ROWS)
    return {"name": result.contender.name, "rows": rows[:_MOST_ROWS], "more": more}


def mean_rows(comparison: Comparison, summaries: Sequence[Summary]) -> list[dict[str, Any]]:
    """Give a row of means for each contender; a best one only where it may be called so."""
    shown = [
        summary if not result.undecided else None
        for result, summary in zip(comparison.results, summaries, strict=True)
    ]
    best = {
        name: _best([each.mean_of_images.get(name) if each else None for each in shown], name)
        for name in (MEANS if comparison.rankable else ())
    }
    return [
        _who(index, each.name)
        | {
            "images": each.images,
            "cells": [
                figure_cell(
                    name,
                    each.mean_of_images.get(name),
                    each.images,
                    css="best" if best.get(name) == index else "",
                )
                for name in MEANS
            ],
        }
        for index, each in enumerate(summaries)
    ]


def _best(estimates: Sequence[Estimate | None], name: str) -> int | None:
    """Tell which of several is best; none where it is not alone."""
    sign = -1 if name in LOWER_IS_BETTER else 1
    known = [(sign * each.value, index) for index, each in enumerate(estimates) if each]
    ranked = sorted(known, reverse=True)
    alone = len(ranked) > 1 and ranked[0][0] > ranked[1][0]
    return ranked[0][1] if alone else None


def difference_row(difference: Difference, rankable: bool) -> dict[str, Any]:
    """Give the row of a pair; nothing is apart that may not be ranked."""
    tells = rankable and difference.by_finger
    return {
        "first": difference.first,
        "second": difference.second,
        "images": difference.images,
        "identical": difference.identical,
        "cells": [
            figure_cell(
                name,
                difference.of[name],
                difference.images,
                css="apart" if tells and difference.of[name].differs_from_0 else "",
                signed=True,
            )
            for name in COMPARED
        ],
    }
