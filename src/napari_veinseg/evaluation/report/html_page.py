"""The HTML page of a comparison, filled into `report.html.jinja`: no script, no file beside it."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from napari_veinseg.evaluation.agreement import COLOURS, NAMES
from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.comparison import Comparison, ContenderResult
from napari_veinseg.evaluation.report import plots
from napari_veinseg.evaluation.report.examples import WORST, Example, choose_examples, draw_example
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

_WORK = ("corrections", "missed_length_px", "too_much_length_px")
_OF_PROBABILITIES = ("roc_area", "average_precision", "calibration_error")
_POOLED = ("vein_iou", "dice", "precision", "recall", *_OF_PROBABILITIES)
_MEANS = tuple(name for name in METRIC_NAMES if name not in {*_WORK, *_OF_PROBABILITIES})
_MOST_ROWS = 200  # of the table image by image
_PLOTS = (
    (
        plots.iou_distribution,
        "Vein IoU of every image; boxes span the middle half of the images.",
    ),
    (
        plots.precision_recall,
        "Precision over recall of the pixels of all images; a point is the mask as delivered.",
    ),
    (
        plots.roc,
        "True positives over false positives of the pixels of all images. Veins are few, so that "
        "curves crowd at the left: precision and recall tell more.",
    ),
    (
        plots.threshold_sweep,
        "Vein IoU, mean of images, over the threshold; a point marks the best threshold, which is "
        "fitted to these images, a dashed line the threshold on a model's card.",
    ),
    (
        plots.calibration,
        "Calibration of the models: a probability should come true as often as it says (dotted).",
    ),
)


def html_page(
    comparison: Comparison,
    summaries: Sequence[Summary],
    differences: Sequence[Difference],
    facts: Mapping[str, str],
    versions: Mapping[str, str],
    *,
    pictures: bool = True,
) -> str:
    """Write the report as a page that opens offline."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Names of files and models are a stranger's: everything is escaped but our own style and SVG.
    pages = Environment(
        loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined
    )
    pages.filters["number"] = number
    results = comparison.results
    examples = {
        index: choose_examples(result) if pictures else [] for index, result in enumerate(results)
    }
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    return pages.get_template("report.html.jinja").render(
        title=f"Vein segmentation: {facts['Dataset']}",
        css=files(__package__).joinpath("report.css").read_text(encoding="utf-8"),
        note=comparison.note,
        caveats=caveats(comparison),
        tolerance=f"{comparison.tolerance:g}",
        same_images=comparison.same_images,
        interval_note=_interval_note(summaries),
        has_baselines=any(each.kind == "baseline" for each in summaries),
        work=[_work_row(index, each) for index, each in enumerate(summaries)],
        per_image=[
            _image_table(result, index, examples[index])
            for index, result in enumerate(results)
            if result.contender.kind != "baseline" and result.judged
        ],
        mean_names=[METRIC_NAMES[name] for name in _MEANS],
        means=_mean_rows(summaries, comparison.same_images),
        pooled_names=[METRIC_NAMES[name] for name in _POOLED],
        pooled=[_pooled_row(index, each) for index, each in enumerate(summaries)],
        compared_names=[METRIC_NAMES[name] for name in COMPARED],
        differences=[_difference_row(each) for each in differences],
        difference_note=_difference_note(differences),
        plots=[{"svg": plots.as_svg(draw(results)), "caption": text} for draw, text in _PLOTS],
        examples=[
            _drawn_examples(result, index, examples[index])
            for index, result in enumerate(results)
            if examples[index]
        ],
        worst=WORST,
        legend=[{"colour": COLOURS[kind], "name": name} for kind, name in NAMES.items()],
        left_out=comparison.left_out,
        cards=_cards(results),
        facts={**facts, "Made with": made_with},
    )


def number(value: float | None, signed: bool = False) -> str:
    """Write a figure: three digits behind the point, one from 10 on.

    Parameters
    ----------
    value : float or None
        The figure; None gives an empty text.
    signed : bool
        Whether positive numbers get a plus.
    """
    if value is None:
        return ""
    text = f"{value:{'+' if signed else ''}.{1 if abs(value) >= 10 else 3}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _who(index: int, name: str) -> dict[str, Any]:
    return {"name": name, "colour": plots.COLOURS[index % len(plots.COLOURS)]}


def _interval_note(summaries: Sequence[Summary]) -> str:
    if not any(each.has_intervals for each in summaries):
        return "There are too few images for intervals."
    unit = "fingers" if all(each.by_finger for each in summaries) else "images"
    return f"Below each mean stands its 95 % bootstrap interval, resampling {unit}."


def _difference_note(differences: Sequence[Difference]) -> str:
    if any(each.by_finger for each in differences):
        return "Coloured where the interval leaves out 0: of many pairs a few do so by chance."
    return "Nothing is coloured as different: that takes images of five known fingers."


def _work_row(index: int, summary: Summary) -> dict[str, Any]:
    share = summary.mean_of_images.get(TO_CORRECT)
    count = "" if share is None else f"{round(share.value * summary.images)} ({share.value:.0%})"
    return _who(index, summary.name) | {
        "images": summary.images,
        "to_correct": count,
        "estimates": [summary.mean_of_images.get(name) for name in _WORK],
    }


def _pooled_row(index: int, summary: Summary) -> dict[str, Any]:
    threshold = summary.threshold or (None, None)
    return _who(index, summary.name) | {"figures": [*map(summary.pooled.get, _POOLED), *threshold]}


def _image_table(
    result: ContenderResult, index: int, examples: Sequence[Example]
) -> dict[str, Any]:
    links = {each.image.sample.stem: each.anchor(index) for each in examples}
    rows = [
        {
            "stem": image.sample.stem,
            "link": links.get(image.sample.stem, ""),
            "corrections": int(image.metrics["corrections"]),
            "missed": image.metrics["missed_length_px"],
            "too_much": image.metrics["too_much_length_px"],
            "iou": image.metrics["vein_iou"],
            "remark": f"{image.unsure:.1%} unsure" if image.unsure else "",
        }
        for image in worst_first(result.judged)
    ]
    more = max(0, len(rows) - _MOST_ROWS)
    return {"name": result.contender.name, "rows": rows[:_MOST_ROWS], "more": more}


def _mean_rows(summaries: Sequence[Summary], same_images: bool) -> list[dict[str, Any]]:
    best = {
        name: _best([each.mean_of_images.get(name) for each in summaries], name)
        for name in (_MEANS if same_images else ())
    }
    return [
        _who(index, each.name)
        | {
            "images": each.images,
            "cells": [
                {"estimate": each.mean_of_images.get(name), "best": best.get(name) == index}
                for name in _MEANS
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


def _difference_row(difference: Difference) -> dict[str, Any]:
    return {
        "first": difference.first,
        "second": difference.second,
        "images": difference.images,
        "cells": [
            {
                "estimate": difference.of[name],
                "apart": difference.by_finger and difference.of[name].differs_from_0,
            }
            for name in COMPARED
        ],
    }


def _drawn_examples(
    result: ContenderResult, index: int, examples: Sequence[Example]
) -> dict[str, Any]:
    return {
        "name": result.contender.name,
        "examples": [draw_example(result, index, each) for each in examples],
    }


def _cards(results: Sequence[ContenderResult]) -> list[dict[str, str]]:
    cards = []
    for contender in (result.contender for result in results):
        if contender.card is not None:
            # Thousands of hashes say no more to a reader than their number.
            hashes = len(contender.card.training_data.image_hashes)
            text = contender.card.model_dump_json(
                indent=2, exclude={"training_data": {"image_hashes"}}
            )
            text += f"\nhashes of training images: {hashes}"
            cards.append({"name": contender.name, "text": text})
    return cards
