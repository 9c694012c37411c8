"""The HTML page of a comparison, filled into `report.html.jinja`: no script, no file beside it."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from napari_veinseg.evaluation.caveats import caveats
from napari_veinseg.evaluation.comparison import Comparison, ContenderResult
from napari_veinseg.evaluation.error_map import COLOURS, NAMES
from napari_veinseg.evaluation.report import plots
from napari_veinseg.evaluation.report.examples import WORST, choose_examples, draw_example
from napari_veinseg.evaluation.report.tables import (
    MEANS,
    METRIC_NAMES,
    POOLED,
    contender_rows,
    difference_row,
    image_table,
    mean_rows,
    number,
    pooled_row,
    work_row,
)
from napari_veinseg.evaluation.summary import COMPARED, Difference, Summary, interval_note

_PLOTS = (
    (
        plots.iou_distribution,
        "Vein IoU of every image, n of them, as points; a box spans the middle half with the "
        "median, its whiskers 1.5 times as much to either side. Dotted: 0.5.",
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


PLOTS = tuple(draw.__name__ for draw, _ in _PLOTS)
"""Names of the plots."""


def draw_plots(results: Sequence[ContenderResult]) -> dict[str, str]:
    """Draw the plots of a page as SVG, by name."""
    return {draw.__name__: plots.as_svg(draw(results)) for draw, _ in _PLOTS}


def html_page(
    comparison: Comparison,
    summaries: Sequence[Summary],
    differences: Sequence[Difference],
    facts: Mapping[str, str],
    versions: Mapping[str, str],
    drawn: Mapping[str, str],
    *,
    pictures: bool = True,
) -> str:
    """Write the report as a page that opens offline, with the plots that are drawn."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Names of files and models are a stranger's: everything is escaped but our own style and SVG.
    pages = Environment(
        loader=PackageLoader(__package__, ""), autoescape=True, undefined=StrictUndefined
    )
    pages.filters["number"] = number
    results = comparison.results
    examples = [choose_examples(result) if pictures else [] for result in results]
    means = mean_rows(comparison, summaries)
    made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
    return pages.get_template("report.html.jinja").render(
        title=f"Vein segmentation: {facts['Dataset']}",
        css=files(__package__).joinpath("report.css").read_text(encoding="utf-8"),
        note=comparison.note,
        caveats=caveats(comparison),
        contenders=contender_rows(comparison),
        tolerance=f"{comparison.tolerance:g}",
        same_images=comparison.same_images,
        interval_note=interval_note(summaries),
        has_baselines=any(each.kind == "baseline" for each in summaries),
        work=[work_row(index, each) for index, each in enumerate(summaries)],
        per_image=[
            image_table(result, index, examples[index])
            for index, result in enumerate(results)
            if result.contender.kind != "baseline" and result.judged
        ],
        mean_names=[METRIC_NAMES[name] for name in MEANS],
        means=means,
        best_note=_best_note(comparison, means),
        pooled_names=[METRIC_NAMES[name] for name in POOLED],
        pooled=[pooled_row(index, each) for index, each in enumerate(summaries)],
        compared_names=[METRIC_NAMES[name] for name in COMPARED],
        differences=[difference_row(each, comparison.rankable) for each in differences],
        difference_note=_difference_note(differences, comparison.rankable),
        plots=[{"svg": drawn[draw.__name__], "caption": text} for draw, text in _PLOTS],
        examples=[
            {
                "name": result.contender.name,
                "examples": [draw_example(result, index, each) for each in examples[index]],
            }
            for index, result in enumerate(results)
            if examples[index]
        ],
        worst=WORST,
        legend=[{"colour": COLOURS[kind], "name": name} for kind, name in NAMES.items()],
        left_out=comparison.left_out,
        cards=_cards(results),
        facts={**facts, "Made with": made_with},
    )


def _best_note(comparison: Comparison, means: Sequence[Mapping[str, Any]]) -> str:
    if not comparison.rankable:
        return ""
    if any(cell["css"] for row in means for cell in row["cells"]):
        return "Bold: best of a column."
    return "No contender is alone the best of a column: they are equal there."


def _difference_note(differences: Sequence[Difference], rankable: bool) -> str:
    if all(each.identical for each in differences):
        return ""
    if rankable and any(each.by_finger for each in differences):
        return "Coloured where the interval leaves out 0: of many pairs a few do so by chance."
    return "Nothing is coloured as different: that takes images of five known subjects."


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
