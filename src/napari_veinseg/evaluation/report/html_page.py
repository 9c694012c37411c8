"""The HTML page of a comparison: no script, no link, no file beside it."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

from napari_veinseg.data.grey import to_grey
from napari_veinseg.evaluation.bootstrap import Estimate
from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.comparison import (
    Comparison,
    ContenderResult,
    ImageResult,
    read_pair,
)
from napari_veinseg.evaluation.report import plots
from napari_veinseg.evaluation.report.contact_sheet import agreement_picture, mask_picture
from napari_veinseg.evaluation.report.markup import (
    cell,
    estimate_cell,
    name_cell,
    number,
    picture,
    table,
)
from napari_veinseg.evaluation.summary import COMPARED, SHARE, Difference, Summary

_MEANS = {
    "vein_iou": "Vein IoU",
    "dice": "Dice",
    "precision": "Precision",
    "recall": "Recall",
    "cldice": "clDice",
    "centreline_precision": "Centreline precision",
    "centreline_recall": "Centreline recall",
    "hausdorff_95_px": "Hausdorff 95 % (px)",
    SHARE: "Images with IoU ≥ 0.5",
    "two_class_mean_iou": "Two-class mean IoU",
}
_POOLED = {
    "vein_iou": "Vein IoU",
    "dice": "Dice",
    "precision": "Precision",
    "recall": "Recall",
    "roc_area": "ROC area",
    "average_precision": "Average precision",
    "calibration_error": "Calibration error",
}
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
_NO_EXAMPLES = '<h2>Examples</h2><p class="note">This report holds no picture of an image.</p>'


def page(
    comparison: Comparison,
    summaries: Sequence[Summary],
    gaps: Sequence[Difference],
    facts: Mapping[str, str],
    versions: Mapping[str, str],
    *,
    pictures: bool = True,
) -> str:
    """Write the report as a page that opens offline.

    Parameters
    ----------
    comparison : Comparison
        What was scored.
    summaries : sequence of Summary
        One a contender.
    gaps : sequence of Difference
        One a pair of contenders.
    facts : mapping of str to str
        The description of the data.
    versions : mapping of str to str
        What the figures were made with.
    pictures : bool
        Whether examples of the images are shown; the page says whether they are.

    Returns
    -------
    str
        HTML.
    """
    title = f"Vein segmentation: {facts['Dataset']}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="lead">{escape(comparison.selection.note)}</p>',
        *(f'<p class="warning">{escape(sentence)}</p>' for sentence in caveats(comparison)),
        _mean_section(summaries),
        _pooled_section(summaries),
        _difference_section(gaps),
        _plot_section(comparison.results),
        _example_section(comparison.results) if pictures else _NO_EXAMPLES,
        _card_section(comparison.results),
        _method_section(comparison, facts, versions),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_text('report.css')}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _mean_section(summaries: Sequence[Summary]) -> str:
    unit = "fingers" if all(each.by_finger for each in summaries) else "images"
    best = {
        name: _best([each.mean_of_images.get(name) for each in summaries], name) for name in _MEANS
    }
    rows = [
        [name_cell(each.name, index), cell(str(each.images))]
        + [
            estimate_cell(each.mean_of_images.get(name), "best" if index == best[name] else "")
            for name in _MEANS
        ]
        for index, each in enumerate(summaries)
    ]
    return (
        "<h2>Mean of images</h2>"
        '<p class="note">Each image is scored, then the scores are averaged. Below each mean '
        f"stands its 95 % bootstrap interval, resampling {unit}. Bold: best of a column.</p>"
        + table(["", "Images", *_MEANS.values()], rows)
    )


def _best(estimates: Sequence[Estimate | None], name: str) -> int | None:
    """Tell which of several is best; none where it is not alone."""
    sign = -1 if name == "hausdorff_95_px" else 1
    known = [(sign * each.value, index) for index, each in enumerate(estimates) if each]
    ranked = sorted(known, reverse=True)
    alone = len(ranked) > 1 and ranked[0][0] > ranked[1][0]
    return ranked[0][1] if alone else None


def _pooled_section(summaries: Sequence[Summary]) -> str:
    rows = [
        [name_cell(each.name, index)]
        + [cell(number(each.pooled.get(name))) for name in _POOLED]
        + [cell(number(value)) for value in each.threshold or (None, None)]
        for index, each in enumerate(summaries)
    ]
    return (
        "<h2>Pooled</h2>"
        '<p class="note">The pixels of all images are counted together, then scored once. The best '
        "threshold has the highest vein IoU (mean of images, small components left in); it is "
        "fitted to these very images, so its IoU is optimistic. Masks have no scores and baselines "
        "no probabilities: their cells stay empty.</p>"
        + table(["", *_POOLED.values(), "Best threshold", "Vein IoU there"], rows)
    )


def _difference_section(gaps: Sequence[Difference]) -> str:
    if not gaps:
        return ""
    rows = [
        [cell(f"{gap.first} \N{MINUS SIGN} {gap.second}"), cell(str(gap.images))]
        + [estimate_cell(gap.of[name], _apart(gap.of[name]), signed=True) for name in COMPARED]
        for gap in gaps
    ]
    return (
        "<h2>Paired differences</h2>"
        '<p class="note">First minus second on the same images, mean of images, with its 95 % '
        "bootstrap interval. Coloured where the interval does not hold 0; with many pairs some do "
        "so by chance.</p>" + table(["", "Images", *(_MEANS[name] for name in COMPARED)], rows)
    )


def _apart(estimate: Estimate) -> str:
    return "apart" if estimate.low > 0 or estimate.high < 0 else ""


def _plot_section(results: Sequence[ContenderResult]) -> str:
    drawn = "".join(
        f"<figure>{plots.as_svg(draw(results))}<figcaption>{escape(caption)}</figcaption></figure>"
        for draw, caption in _PLOTS
    )
    return f'<h2>Plots</h2><div class="plots">{drawn}</div>'


def _example_section(results: Sequence[ContenderResult]) -> str:
    parts = [
        "<h2>Examples</h2>"
        '<p class="note">Best, median and worst image by vein IoU; of baselines the median. '
        "These are pictures of veins, by which a person can be recognised: "
        "<code>--no-pictures</code> leaves them out.</p>"
        '<p class="note legend"><span><i style="background:#f0f0f0"></i>found</span>'
        '<span><i style="background:#56b4e9"></i>missed</span>'
        '<span><i style="background:#e69f00"></i>not in the truth</span>'
        '<span><i style="background:#6e6e6e"></i>unsure, not counted</span></p>'
    ]
    for result in results:
        ranked = sorted(result.unseen, key=lambda image: image.metrics["vein_iou"])
        if not ranked:
            continue
        places = {"best": len(ranked) - 1, "median": len(ranked) // 2, "worst": 0}
        if result.contender.kind == "baseline":
            places = {"median": len(ranked) // 2}
        parts.append(f"<h3>{escape(result.contender.name)}</h3>")
        shown: set[int] = set()
        for rank, place in places.items():
            if place not in shown:
                parts.append(_example(result, ranked[place], rank))
            shown.add(place)
    return "".join(parts)


def _example(result: ContenderResult, scored: ImageResult, rank: str) -> str:
    image, truth = read_pair(scored.sample)
    mask = result.contender.predict(scored.sample, image).mask
    metrics = scored.metrics
    return (
        f'<div class="example"><p class="title"><b>{rank}</b>: {escape(scored.sample.stem)} '
        f"(vein IoU {number(metrics['vein_iou'])}, clDice {number(metrics['cldice'])})</p>"
        + picture(to_grey(image), "original", smooth=True)
        + picture(mask_picture(truth), "truth", smooth=False)
        + picture(mask_picture(mask), "prediction", smooth=False)
        + picture(agreement_picture(mask, truth), "agreement", smooth=False)
        + "</div>"
    )


def _card_section(results: Sequence[ContenderResult]) -> str:
    cards = [
        f"<details><summary>{escape(result.contender.name)}</summary>"
        f"<pre>{escape(_card_text(result))}</pre></details>"
        for result in results
        if result.contender.card
    ]
    return "<h2>Model cards</h2>" + "".join(cards) if cards else ""


def _card_text(result: ContenderResult) -> str:
    card = result.contender.card
    if card is None:
        return ""
    # Thousands of hashes say no more to a reader than their number.
    hashes = len(card.training_data.image_hashes)
    text = card.model_dump_json(indent=2, exclude={"training_data": {"image_hashes"}})
    return f"{text}\nhashes of training images: {hashes}"


def _method_section(
    comparison: Comparison, facts: Mapping[str, str], versions: Mapping[str, str]
) -> str:
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in {**facts, "Made with": made_with}.items()
    )
    return f'<h2>Data and method</h2><dl class="facts">{rows}</dl>' + Template(
        _text("report_method.html")
    ).substitute(tolerance=f"{comparison.tolerance:g}")


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
